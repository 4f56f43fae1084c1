// Instrumented mode: what stands behind every load and store of a kernel.
//
// The kernel file is compiled with -fsanitize=thread and this file answers its calls, one before each access.
// An address lies in a stack (a local variable: nothing to say), in an argument, in a shared array, or in the
// library's own tables; anything else is out of bounds. Between shared arrays there are gaps, as there are
// between arguments, so that what overruns one does not end in the next. Whether an access races, and whether
// it reads what nobody has written, shadow.cpp says.

#include <algorithm>
#include <dlfcn.h>
#include <link.h>

#include "watch.h"

namespace emulator {
std::uintptr_t library_low, library_high;

namespace {

constexpr long ENDLESS = 1L << 22;  // accesses of one thread between two barriers
constexpr long TURN = 1L << 12;     // after so many the other threads have theirs: counters.cpp keeps them all
constexpr std::uintptr_t NULLED = 1 << 16;  // an address below is an index from null

std::vector<Region> regions;  // the arguments
std::unordered_map<Block*, std::vector<Region>> shared_of;
const Block* last = nullptr;  // that was looked up in it, as the same block is asked for again and again
std::vector<Region>* last_arrays = nullptr;
std::uintptr_t stacks_low, stacks_high;

int find_library(dl_phdr_info* info, std::size_t, void* self_address) {
  const std::uintptr_t here = (std::uintptr_t)self_address;
  std::uintptr_t low = ~std::uintptr_t(0), high = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& part = info->dlpi_phdr[i];
    if (part.p_type != PT_LOAD) continue;
    low = std::min<std::uintptr_t>(low, info->dlpi_addr + part.p_vaddr);
    high = std::max<std::uintptr_t>(high, info->dlpi_addr + part.p_vaddr + part.p_memsz);
  }
  if (here < low || here >= high) return 0;
  library_low = low, library_high = high;
  return 1;
}

bool in_shared(std::uintptr_t address, const Block& block) {
  return address - (std::uintptr_t)block.shared < SHARED;
}

// Shared arrays that the block has, those among them that it has declared since it was last asked.
std::vector<Region>& shared_arrays(Block& block) {
  if (last != &block) last = &block, last_arrays = &shared_of[&block];
  auto& known = *last_arrays;
  if (known.size() == block.declared.size() + 1) return known;  // the first is the dynamic one
  for (const auto& declared : block.declared) {
    const Declared& d = declared.second;
    if (std::none_of(known.begin(), known.end(), [&](const Region& r) { return r.base == d.base; }))
      known.push_back(shadow::region(d.base, d.bytes, -1, d.name, true));
  }
  return known;
}

Region* region_at(std::uintptr_t address, Block& block) {
  for (Region& r : in_shared(address, block) ? shared_arrays(block) : regions)
    if (address - (std::uintptr_t)r.base < r.bytes) return &r;
  return nullptr;
}

// launch.py puts an argument's name for #i#.
std::string name_of(const Region& r) { return r.array < 0 ? r.name : text("#%d#", r.array); }

// Where an address lies relative to the nearest array.
std::string whereabouts(std::uintptr_t address) {
  if (address < NULLED) return text("at address %#llx: a pointer is null", (unsigned long long)address);
  const Region* nearest = nullptr;
  long long best = 0;
  for (const Region& r : in_shared(address, *self->block) ? shared_arrays(*self->block) : regions) {
    const long long after = (long long)(address - (std::uintptr_t)r.base - r.bytes);
    const long long before = (long long)((std::uintptr_t)r.base - address);
    const long long distance = after >= 0 ? after : before;
    if (!nearest || distance < best) nearest = &r, best = distance;
  }
  if (!nearest) return "far from any argument";
  const bool after = address >= (std::uintptr_t)nearest->base + nearest->bytes;
  return text("%lld bytes %s of ", best, after ? "past the end" : "before the start") + name_of(*nearest);
}

// One access; `expected` is what an atomic compares with: where it finds something else it stores nothing.
void seen(const void* where, int size, Kind kind, void* caller, bool is_volatile = false,
          const void* expected = nullptr) {
  const std::uintptr_t address = (std::uintptr_t)where;
  Thread* t = self;
  if (address - stacks_low < stacks_high - stacks_low || !t) return;
  t->caller = caller;
  if (++t->accesses % TURN == 0) park(State::ready, {}, caller);
  Busy busy(t);
  if (t->accesses > ENDLESS) {
    finding("deadlock", describe(self) + " does not end: it meets no barrier in 2^22 loads and stores", {}, caller);
    abandon();
  }
  Region* r = region_at(address, *t->block);
  const bool whole = r && address + size <= (std::uintptr_t)r->base + r->bytes;
  if (!whole) {
    if (!r && kind == Kind::load && address - library_low < library_high - library_low) return;  // __constant__
    finding("out of bounds",
            describe(self) + text(" %s %d bytes ", kind == Kind::load ? "loads" : "stores", size) +
                whereabouts(address),
            {}, caller);
    abandon();
  }
  if (address % size && (size & (size - 1)) == 0) {
    finding("misaligned", describe(self) + text(": %d bytes at ", size) + name_of(*r, address), {}, caller);
    abandon();
  }
  if (kind != Kind::load && !r->writable) {
    finding("constant", describe(self) + " stores to " + name_of(*r, address) + ", a const argument", {}, caller);
    abandon();
  }
  // volatile orders nothing in shared memory: what a warp exchanges there needs its __syncwarp
  const bool strong = kind == Kind::atomic || (is_volatile && r->array >= 0);
  const bool unchanged = expected && std::memcmp(where, expected, size);
  shadow::touch(*r, address, size, unchanged ? Kind::load : kind, strong, caller);
  counters::note(t, r->array < 0 ? t->block->shared : r->base, r->array, address, size, kind, caller);
}

// A structure, whose members the compiler moves in one piece; a GPU moves them one by one. Of their sizes this
// knows nothing but that words divide the whole, or do not.
void seen_by_words(const void* where, int size, Kind kind, void* caller, bool is_volatile = false) {
  const std::uintptr_t both = (std::uintptr_t)where | (std::uintptr_t)size;
  const int part = both % 4 == 0 ? 4 : both % 2 == 0 ? 2 : 1;
  for (int at = 0; at < size; at += part) seen((const char*)where + at, part, kind, caller, is_volatile);
}

}  // namespace

std::string name_of(const Region& r, std::uintptr_t address) {
  return name_of(r) + text(" at byte %llu", (unsigned long long)(address - (std::uintptr_t)r.base));
}

namespace monitor {

void begin(const Launch& launch, const char* stacks, std::size_t bytes) {
  stacks_low = (std::uintptr_t)stacks, stacks_high = stacks_low + bytes;
  dl_iterate_phdr(find_library, (void*)&begin);
  for (int i = 0; i < launch.count; ++i) {
    const Array& a = launch.arrays[i];
    regions.push_back(shadow::region(a.data, a.bytes, i, "", a.writable));
  }
}

void begin_block(Block& block) {
  last = nullptr;
  auto& arrays = shared_of[&block];
  arrays.clear();
  arrays.push_back(shadow::region(block.shared, launch->dynamic_shared, -1, "dynamic shared memory", true));
  fences::forget((std::uintptr_t)block.shared, SHARED);
}

void warp_met(Thread** lanes) { fences::warp_met(lanes); }

void load(const void* from, int bytes, void* caller) { seen_by_words(from, bytes, Kind::load, caller); }
void store(void* to, int bytes, void* caller) { seen_by_words(to, bytes, Kind::store, caller); }
void atomic(void* at, int bytes, void* caller) { seen(at, bytes, Kind::atomic, caller); }

void end_interval(Block& block) {
  counters::end_interval(block);
  fences::block_met(block);
  if (!block.alive) shared_of.erase(&block), last = nullptr;
}

void copy_started(const Copy& copy) {
  seen(copy.from, copy.bytes, Kind::load, copy.caller);
  Region* r = region_at((std::uintptr_t)copy.to, *self->block);
  if (!r || r->array >= 0) {
    finding("copy", describe(self) + ": copy_async writes to shared memory only", {}, copy.caller);
    abandon();
  }
  seen(copy.to, copy.bytes, Kind::store, copy.caller);
  shadow::set_valid(*r, (std::uintptr_t)copy.to, copy.bytes, false);  // until it has landed
}

void copy_landed(const Copy& copy) {
  Region* r = region_at((std::uintptr_t)copy.to, *self->block);
  shadow::touch(*r, (std::uintptr_t)copy.to, copy.bytes, Kind::store, false, copy.caller);
}

void end(std::string& json) {
  counters::report(json);
  regions.clear(), shared_of.clear(), last = nullptr;  // they are many times what they shadow
  counters::clear();
  fences::clear();
}

}  // namespace monitor
}  // namespace emulator

using emulator::Kind;
using emulator::seen;
using emulator::seen_by_words;
using emulator::Source;

#define ACCESS(size)                                                                                            \
  extern "C" void __tsan_read##size(void* p) { seen(p, size, Kind::load, CALLER); }                             \
  extern "C" void __tsan_write##size(void* p) { seen(p, size, Kind::store, CALLER); }                           \
  extern "C" void __tsan_unaligned_read##size(void* p) { seen_by_words(p, size, Kind::load, CALLER); }          \
  extern "C" void __tsan_unaligned_write##size(void* p) { seen_by_words(p, size, Kind::store, CALLER); }        \
  extern "C" void __tsan_volatile_read##size(void* p) { seen(p, size, Kind::load, CALLER, true); }              \
  extern "C" void __tsan_volatile_write##size(void* p) { seen(p, size, Kind::store, CALLER, true); }            \
  extern "C" void __tsan_unaligned_volatile_read##size(void* p) { seen_by_words(p, size, Kind::load, CALLER, true); } \
  extern "C" void __tsan_unaligned_volatile_write##size(void* p) { seen_by_words(p, size, Kind::store, CALLER, true); }
ACCESS(1) ACCESS(2) ACCESS(4) ACCESS(8) ACCESS(16)

extern "C" void __tsan_read_range(void* p, unsigned long n) { seen_by_words(p, (int)n, Kind::load, CALLER); }
extern "C" void __tsan_write_range(void* p, unsigned long n) { seen_by_words(p, (int)n, Kind::store, CALLER); }

// Structures as clang++ moves them; until its version 15 by the C library's own names, which the linker changes.
#define MOVES(name)                                                                                   \
  extern "C" void* name(void* to, const void* from, std::size_t n) {                                  \
    seen_by_words(from, (int)n, Kind::load, CALLER), seen_by_words(to, (int)n, Kind::store, CALLER);  \
    return std::memmove(to, from, n);                                                                 \
  }
MOVES(__tsan_memcpy) MOVES(__tsan_memmove) MOVES(__wrap_memcpy) MOVES(__wrap_memmove)
#define FILLS(name)                                            \
  extern "C" void* name(void* to, int byte, std::size_t n) {   \
    seen_by_words(to, (int)n, Kind::store, CALLER);            \
    return std::memset(to, byte, n);                           \
  }
FILLS(__tsan_memset) FILLS(__wrap_memset)

extern "C" void __tsan_init() {}
extern "C" void __tsan_func_entry(void*) {}
extern "C" void __tsan_func_exit() {}
extern "C" void __tsan_vptr_update(void**, void*) {}
extern "C" void __tsan_vptr_read(void**) {}
extern "C" void emulator_touch(const void* p, int bytes, int write, void* caller) {
  seen(p, bytes, write ? Kind::store : Kind::load, caller);
}
// Nobody else runs between this and the atomic itself.
extern "C" void emulator_atomic(void* p, int bytes, const void* expected, void* caller) {
  seen(p, bytes, Kind::atomic, caller, false, expected);
}

// ---- arithmetic that has no result: called by the compiler with the place in the source ------------------------

static void wrong(const Source* place, const char* what) {
  if (!emulator::self) return;
  emulator::Busy busy;
  emulator::finding("overflow", emulator::describe(emulator::self) + ": " + what,
                    {place->file, (int)place->line});
}

#define WRONG(name, what) \
  extern "C" void __ubsan_handle_##name(const Source* place, ...) { wrong(place, what); }
WRONG(add_overflow, "the sum does not fit its integer")
WRONG(sub_overflow, "the difference does not fit its integer")
WRONG(mul_overflow, "the product does not fit its integer")
WRONG(negate_overflow, "the negated number does not fit its integer")
WRONG(out_of_bounds, "the index lies outside of the array's declared size")

struct Misaligned {
  Source place;
  const void* type;
  unsigned char log_alignment, kind;
};

// What a structure's type asks for cannot be told from its size.
extern "C" void __ubsan_handle_type_mismatch_v1(const Misaligned* found, std::uintptr_t address) {
  if (!emulator::self) return;
  emulator::Busy busy;
  const emulator::Region* r = emulator::region_at(address, *emulator::self->block);
  emulator::finding("misaligned",
                    emulator::describe(emulator::self) + emulator::text(": a type of multiples of %d bytes at ",
                                                                        1 << found->log_alignment) +
                        (r ? emulator::name_of(*r, address) : emulator::text("%#llx", (unsigned long long)address)),
                    {found->place.file, (int)found->place.line});
  emulator::abandon();
}
