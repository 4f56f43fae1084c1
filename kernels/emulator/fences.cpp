// What fences and atomics order: locks, and the last block that sums up what the others have left.
//
// A thread that passes a fence and then writes a word by an atomic (or a volatile store) *releases* all that was
// behind it at the fence; a thread that then reads the word by an atomic (or a volatile load) *acquires* it: it
// comes after all that. An atomic hands on what the word had released before, a store takes its place.
//
// What lay behind a fence is told by clocks: its thread's own, those of the lanes that it has met in __syncwarp,
// the barriers of its block, and all that it had acquired. What a thread has acquired, and the fences that it has
// passed, are those of all lanes after __syncwarp, and of its block after a barrier: all may write, each pass a
// fence, and one of them count the block after the barrier.
//
// CUDA wants a second fence after the read; its own guide leaves it out where a barrier follows. Here the read
// is enough.

#include <algorithm>
#include <map>

#include "watch.h"

namespace emulator::fences {
namespace {

// (block, one of its threads, or itself) -> the time until which all that it did is known
using Known = std::unordered_map<std::uint64_t, std::uint32_t>;
using Shared = std::shared_ptr<const Known>;  // by threads that have met; never changed
enum Scope { DEVICE, OF_BLOCK, SCOPES };
constexpr int BLOCK = 2047;

struct Order {  // of a thread, or of all of a block
  Shared acquired, fenced[SCOPES];  // what comes before it, what its next strong write releases
};

std::unordered_map<std::uint64_t, Order> orders;
// by address; what is released within a block alone by its number, else by 0
std::map<std::pair<std::uintptr_t, std::uint32_t>, Shared> released;
bool any = false;

std::uint64_t key(std::uint32_t block, int part) { return (std::uint64_t)block << 11 | part; }

void merge(Shared& into, const Shared& from) {
  if (!from || into == from) return;
  if (!into) {
    into = from;
    return;
  }
  auto both = std::make_shared<Known>(*into);
  for (const auto& [who, time] : *from) {
    std::uint32_t& known = (*both)[who];
    known = std::max(known, time);
  }
  into = both;
}

void merge(Order& into, const Order& from) {
  merge(into.acquired, from.acquired);
  for (int scope = 0; scope < SCOPES; ++scope) merge(into.fenced[scope], from.fenced[scope]);
}

bool later(const Known& known, std::uint32_t block, int part, std::uint32_t time) {
  const auto found = known.find(key(block, part));
  return found != known.end() && found->second > time;
}

void drop(std::uintptr_t first, std::size_t bytes) {
  released.erase(released.lower_bound({first, 0}), released.lower_bound({first + bytes, 0}));
}

// What the thread that runs knows by itself and by its block.
template <class F>
void each_order(F f) {
  const std::uint32_t block = self->block->number;
  for (const std::uint64_t mine : {key(block, self->index), key(block, BLOCK)}) {
    const auto found = orders.find(mine);
    if (found != orders.end()) f(found->second);
  }
}

void pass(Scope of) {
  Thread* t = self;
  const std::uint32_t block = t->block->number;
  any = true;
  ++t->clock;
  auto behind = std::make_shared<Known>();
  (*behind)[key(block, t->index)] = t->clock;
  (*behind)[key(block, BLOCK)] = t->block->epoch;
  for (int lane = 0; lane < WARP; ++lane)
    if (t->seen[lane] && lane != t->index % WARP)
      (*behind)[key(block, t->index / WARP * WARP + lane)] = t->seen[lane];
  Shared all = behind;
  each_order([&](const Order& known) { merge(all, known.acquired); });
  Order& mine = orders[key(block, t->index)];
  for (int scope = of; scope < SCOPES; ++scope) merge(mine.fenced[scope], all);  // who orders all orders a block
}

}  // namespace

void clear() { orders.clear(), released.clear(), any = false; }

void forget(std::uintptr_t first, std::size_t bytes) { drop(first, bytes); }

void acquire(std::uintptr_t address) {
  if (!any) return;
  const std::uint32_t block = self->block->number;
  for (const std::uint32_t of : {0u, block}) {
    const auto found = released.find({address, of});
    if (found != released.end()) merge(orders[key(block, self->index)].acquired, found->second);
  }
}

void release(std::uintptr_t address, bool reads) {
  if (!any) return;
  if (!reads) drop(address, 1);
  each_order([&](const Order& known) {
    for (int scope = 0; scope < SCOPES; ++scope)
      if (known.fenced[scope])
        merge(released[{address, scope == OF_BLOCK ? self->block->number : 0}], known.fenced[scope]);
  });
}

void overwrite(std::uintptr_t address, int size) {
  if (!released.empty()) drop(address, size);
}

bool order(const Access& before) {
  if (!any) return false;
  bool found = false;
  each_order([&](const Order& known) {
    if (!known.acquired || found) return;
    found = later(*known.acquired, before.block, before.thread, before.clock) ||
            later(*known.acquired, before.block, BLOCK, before.epoch);
  });
  return found;
}

void block_met(Block& block) {
  if (!any) return;
  Order all;
  for (int i = 0; i < (int)block.threads.size(); ++i) {
    const auto found = orders.find(key(block.number, i));
    if (found == orders.end()) continue;
    merge(all, found->second);
    orders.erase(found);
  }
  merge(orders[key(block.number, BLOCK)], all);
}

void warp_met(Thread** lanes) {
  std::uint32_t met[WARP] = {};
  for (int lane = 0; lane < WARP; ++lane) {
    if (!lanes[lane]) continue;
    Thread* t = lanes[lane];
    t->seen[lane] = ++t->clock;
    for (int other = 0; other < WARP; ++other) met[other] = std::max(met[other], t->seen[other]);
  }
  Order all;
  for (int lane = 0; lane < WARP; ++lane) {
    if (!lanes[lane]) continue;
    std::copy(met, met + WARP, lanes[lane]->seen);
    if (any) merge(all, orders[key(lanes[lane]->block->number, lanes[lane]->index)]);
  }
  for (int lane = 0; any && lane < WARP; ++lane)
    if (lanes[lane]) orders[key(lanes[lane]->block->number, lanes[lane]->index)] = all;
}

}  // namespace emulator::fences

extern "C" void emulator_fence(int of_block) {
  emulator::fences::pass(of_block ? emulator::fences::OF_BLOCK : emulator::fences::DEVICE);
}
