// What fences and atomics order: locks, and the last block that sums up what the others have left.
//
// A thread that passes a fence and then writes a word by an atomic (or a volatile store) *releases* all that was
// behind it at the fence; a thread that then reads the word by an atomic (or a volatile load) *acquires* it: it
// comes after all that. What lay behind a fence is told by three times: the thread's own fences, the meetings of
// its warp and the barriers of its block. What one thread has acquired its warp has after __syncwarp, and its
// block after a barrier.
//
// CUDA wants a second fence after the read; its own guide leaves it out where a barrier follows. Here the read
// is enough.

#include <algorithm>
#include <map>
#include <unordered_map>

#include "watch.h"

namespace emulator::fences {
namespace {

// (block, one of its threads, warps, or itself) -> the time until which all that it did is known
using Known = std::unordered_map<std::uint64_t, std::uint32_t>;
enum { THREADS = 0, WARPS = 1024, BLOCK = 2047 };

std::uint64_t key(std::uint32_t block, int part) { return (std::uint64_t)block << 11 | part; }

std::unordered_map<std::uint64_t, Known> acquired;            // by thread, warp or block
using Word = std::pair<std::uintptr_t, std::uint32_t>;  // address; by __threadfence_block the block, else 0
std::map<Word, Known> released;
bool any = false;

void merge(Known& into, const Known& from) {
  for (const auto& [who, time] : from) {
    std::uint32_t& known = into[who];
    known = std::max(known, time);
  }
}

void merge_acquired(std::uint64_t into, std::uint64_t from) {
  const auto found = acquired.find(from);
  if (found == acquired.end()) return;
  const Known known = std::move(found->second);
  acquired.erase(found);
  merge(acquired[into], known);
}

bool later(const Known& known, std::uint32_t block, int part, std::uint32_t time) {
  const auto found = known.find(key(block, part));
  return found != known.end() && found->second > time;
}

}  // namespace

void clear() { acquired.clear(), released.clear(), any = false; }

void forget(std::uintptr_t first, std::size_t bytes) {
  released.erase(released.lower_bound({first, 0}), released.lower_bound({first + bytes, 0}));
}

void meet(std::uintptr_t address, bool reads, bool writes) {
  if (!any) return;
  const Thread* t = self;
  const std::uint32_t block = t->block->number;
  const std::uint64_t me = key(block, THREADS + t->index);
  if (reads) {
    for (const std::uint32_t of : {0u, block}) {
      const auto found = released.find({address, of});
      if (found != released.end()) merge(acquired[me], found->second);
    }
  }
  if (!writes || !t->fenced.passed) return;
  Known& here = released[{address, t->fenced.of_block ? block : 0}];
  merge(here, {{me, t->fenced.clock},
               {key(block, WARPS + t->index / WARP), t->fenced.warp_epoch},
               {key(block, BLOCK), t->fenced.epoch}});
  for (std::uint64_t mine : {me, key(block, WARPS + t->index / WARP), key(block, BLOCK)}) {
    const auto found = acquired.find(mine);
    if (found != acquired.end()) merge(here, found->second);
  }
}

bool order(const Access& before) {
  if (!any) return false;
  const Thread* t = self;
  const std::uint32_t block = t->block->number;
  for (std::uint64_t mine : {key(block, THREADS + t->index), key(block, WARPS + t->index / WARP), key(block, BLOCK)}) {
    const auto found = acquired.find(mine);
    if (found == acquired.end()) continue;
    const Known& known = found->second;
    if (later(known, before.block, THREADS + before.thread, before.clock) ||
        later(known, before.block, WARPS + before.thread / WARP, before.warp_epoch) ||
        later(known, before.block, BLOCK, before.epoch))
      return true;
  }
  return false;
}

void block_met(Block& block) {
  if (!any) return;
  const int threads = block.threads.size();
  for (int i = 0; i < threads; ++i) merge_acquired(key(block.number, BLOCK), key(block.number, THREADS + i));
  for (int w = 0; w * WARP < threads; ++w) merge_acquired(key(block.number, BLOCK), key(block.number, WARPS + w));
}

void warp_met(Block& block, int warp) {
  if (!any) return;
  for (int i = warp * WARP; i < (warp + 1) * WARP; ++i)
    merge_acquired(key(block.number, WARPS + warp), key(block.number, THREADS + i));
}

}  // namespace emulator::fences

using namespace emulator;

extern "C" void emulator_fence(int of_block) {
  Thread* t = self;
  fences::any = true;
  t->fenced = {true, of_block != 0, ++t->clock, t->block->warp_epochs[t->index / WARP], t->block->epoch};
}
