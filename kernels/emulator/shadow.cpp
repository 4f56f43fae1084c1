// The shadow of memory: has a word been written, who wrote it last, and who has read it since.
//
// Two accesses race when they come from different threads, one is a store, not both are strong (atomic, or volatile
// in global memory), and nothing orders them: no barrier of their block between, no __syncwarp that both lanes
// passed, no barrier of the grid between two blocks, no fence and atomic (fences.cpp).
//
// Of each word the last writer is remembered, and where writers are strong one more; of readers those who differ
// most: who is forgotten has a neighbour who is not. Words that are used by bytes have a shadow for each byte.

#include <algorithm>

#include "watch.h"

namespace emulator::shadow {
namespace {

constexpr std::uint64_t PAGE = 256;  // words whose shadow is made at once

Word* page_at(Region& r, std::uint64_t number) {
  auto& page = r.pages[number];
  if (page) return page.get();
  const std::uint64_t first = number * PAGE, words = std::min(PAGE, (r.bytes + 3) / 4 - first);
  page.reset(new Word[words]);
  for (std::uint64_t w = 0; r.array >= 0 && w < words; ++w) {  // as it was at launch: nobody has touched it yet
    std::uint32_t value = 0;
    std::memcpy(&value, r.base + 4 * (first + w), std::min<std::uint64_t>(4, r.bytes - 4 * (first + w)));
    page[w].valid = value != UNWRITTEN;
  }
  return page.get();
}

bool ordered(const Access& before, const Access& now) {
  if (!before.block) return true;
  if (before.block != now.block) return before.grid_epoch != now.grid_epoch || fences::order(before);
  if (before.thread == now.thread || before.epoch != now.epoch) return true;
  if (before.thread / WARP == now.thread / WARP && before.clock < self->seen[before.thread % WARP]) return true;
  return fences::order(before);
}

bool races(const Access& before, const Access& now) {
  return !(before.strong && now.strong) && !ordered(before, now);
}

// What this access races with, if with any.
const Access* rival(const Word& word, const Access& now, bool stores) {
  if (races(word.write, now)) return &word.write;
  if (word.other.block && races(word.other, now)) return &word.other;
  if (stores)
    for (const Access& read : word.reads)
      if (races(read, now)) return &read;
  return nullptr;
}

void remember_write(Word& word, const Access& now) {
  const Access& last = word.write;
  if (!now.strong) {
    word.other = Access();
  } else if (last.strong && !ordered(last, now)) {
    const bool foreign = word.other.block && word.other.block != now.block && !ordered(word.other, now);
    if (last.block != now.block || !foreign) word.other = last;
  }
  word.write = now;
  word.valid = true;
}

void remember_read(Word& word, const Access& now) {
  const Access& last = word.reads[0];
  const bool same_block = last.block == now.block;
  if (!same_block)
    word.reads[3] = last;
  else if (last.thread / WARP != now.thread / WARP)
    word.reads[2] = last;
  if (!same_block || last.thread != now.thread) word.reads[1] = last;
  word.reads[0] = now;
}

// Call `f(word)` for every word, or byte used apart, that an access touches.
template <class F>
void each(Region& r, std::uintptr_t address, int size, F f) {
  const std::uint64_t first = address - (std::uintptr_t)r.base, end = first + size;
  for (std::uint64_t w = first / 4; w <= (end - 1) / 4; ++w) {
    Word& word = page_at(r, w / PAGE)[w % PAGE];
    const bool whole = first <= 4 * w && 4 * w + 4 <= end;
    if (whole && !word.apart) {
      f(word);
      continue;
    }
    auto& bytes = r.bytes_of[w];
    if (!word.apart) {
      bytes.reset(new Word[4]{word, word, word, word});
      word.apart = true;
    }
    for (std::uint64_t b = std::max(first, 4 * w); b < std::min(end, 4 * w + 4); ++b) f(bytes[b % 4]);
  }
}

}  // namespace

Region region(char* base, std::uint64_t bytes, int array, const char* name, bool writable) {
  Region r;
  r.base = base, r.bytes = bytes, r.array = array, r.name = name, r.writable = writable;
  r.pages.resize(((bytes + 3) / 4 + PAGE - 1) / PAGE);
  return r;
}

void touch(Region& r, std::uintptr_t address, int size, Kind kind, bool strong, void* caller) {
  const bool loads = kind != Kind::store, stores = kind != Kind::load;
  const Thread* t = self;
  Access now;
  now.block = t->block->number, now.epoch = t->block->epoch, now.grid_epoch = grid_epoch;
  now.clock = t->clock, now.thread = t->index, now.strong = strong;
  now.caller = (std::uint32_t)((std::uintptr_t)caller - library_low);
  if (strong && loads) fences::acquire(address);
  bool raced = false, empty = false;
  each(r, address, size, [&](Word& word) {
    const Access* before = raced ? nullptr : rival(word, now, stores);
    if (before) {
      raced = true;
      const bool stored = before == &word.write || before == &word.other;
      finding("race",
              describe(t) + text(" %s %s, which ", stores ? "stores to" : "loads from", name_of(r, address).c_str()) +
                  describe(before->block - 1, before->thread) +
                  text(" %s at @%llu@ with no barrier between", stored ? "stored to" : "loaded from",
                       (unsigned long long)(library_low + before->caller)),
              {}, caller);
    }
    if (loads && !word.valid) empty = word.valid = true;  // said once
    if (stores)
      remember_write(word, now);
    else
      remember_read(word, now);
  });
  if (empty)
    finding("uninitialised", describe(t) + " loads from " + name_of(r, address) + ", which nobody has written", {},
            caller);
  if (!stores) return;
  if (strong)
    fences::release(address, loads);
  else
    fences::overwrite(address, size);
}

void set_valid(Region& r, std::uintptr_t address, int size, bool valid) {
  each(r, address, size, [&](Word& word) { word.valid = valid; });
}

}  // namespace emulator::shadow
