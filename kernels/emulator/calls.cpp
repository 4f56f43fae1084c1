// What kernels call: the functions behind the macros of cuda.h.

#include <algorithm>

#include "runtime.h"

using namespace emulator;

constexpr std::size_t STATIC = 48 << 10;  // bytes of __shared__ that a kernel may declare
constexpr long SPINS = 2000000;  // atomics of one thread between two barriers

extern "C" const Where* emulator_where() { return &self->where; }

extern "C" void* emulator_dynamic_shared() { return self->block->shared; }

extern "C" void* emulator_shared(const void* declaration, std::size_t bytes, std::size_t alignment) {
  Block& block = *self->block;
  char*& place = block.declared[declaration];
  if (!place) {
    block.used = (block.used + alignment - 1) / alignment * alignment;
    if (block.used + bytes > STATIC + (launch->dynamic_shared + 15) / 16 * 16) {
      finding("shared memory", text("a block may declare %zu bytes, and this declares more", STATIC), {});
      abandon();
    }
    place = block.shared + block.used;
    block.used += bytes;
    monitor::shared_used(block);
  }
  return place;
}

extern "C" int emulator_barrier(const char* file, int line, int kind, int predicate) {
  self->kind = kind, self->value = predicate;
  park(State::barrier, {file, line});
  return self->value;
}

extern "C" void emulator_grid_barrier(const char* file, int line) {
  if (!launch->cooperative) {
    finding("grid barrier", "the launch is not cooperative: its blocks need not run at the same time",
            {file, line});
    abandon();
  }
  park(State::grid, {file, line});
}

extern "C" std::uint64_t emulator_warp(const char* file, int line, Warp kind, unsigned mask,
                                       std::uint64_t value, int parameter, int width) {
  Thread* t = self;
  t->warp = kind, t->mask = mask, t->bits = value, t->parameter = parameter, t->width = width;
  park(State::warp, {file, line});
  return self->bits;
}

extern "C" void emulator_mma(const char* file, int line, Warp kind, float* d, const void* a,
                             const void* b) {
  self->a = a, self->b = b, self->d = d;
  emulator_warp(file, line, kind, 0xffffffffu, 0, 0, 32);
}

extern "C" void emulator_copy_async(void* to, const void* from, int bytes) {
  const Copy copy{to, from, bytes, __builtin_return_address(0)};
  if (((std::uintptr_t)to | (std::uintptr_t)from) % bytes) {
    finding("misaligned", describe(self) + text(": a copy of %d bytes needs addresses that divide by it", bytes),
            {}, copy.caller);
    abandon();
  }
  monitor::copy_started(copy);
  self->open->push_back(copy);
}

extern "C" void emulator_copy_async_commit() {
  self->groups->push_back(std::move(*self->open));
  self->open->clear();
}

extern "C" void emulator_copy_async_wait(int youngest) {
  auto& groups = *self->groups;
  const int landed = std::max(0, (int)groups.size() - youngest);
  for (int i = 0; i < landed; ++i)
    for (const Copy& copy : groups[i]) {
      std::memcpy(copy.to, copy.from, copy.bytes);
      monitor::copy_landed(copy);
    }
  groups.erase(groups.begin(), groups.begin() + landed);
}

// Called by the compiler's own check, as the division itself would end the process.
extern "C" void __ubsan_handle_divrem_overflow(const Source* place, ...) {
  finding("overflow", describe(self) + ": division by zero", {place->file, (int)place->line});
  abandon();
}

// Called before every atomic: a thread that spins on one lets the others run, and does not spin for ever.
static void count_atomic() {
  Thread* t = self;
  if (++t->atomics % 256) return;
  if (t->atomics > SPINS) {
    finding("deadlock", describe(t) + text(" spins: %ld atomics without meeting a barrier", t->atomics), t->place);
    abandon();
  }
  park(State::ready, t->place);
}

#ifndef GLASSGRAD_INSTRUMENTED
extern "C" void emulator_atomic(void*, int, void*) { count_atomic(); }
namespace emulator::monitor {
void begin(const Launch&, const char*, std::size_t) {}
void begin_block(Block&) {}
void shared_used(Block&) {}
void end_interval(Block&) {}
void copy_started(const Copy&) {}
void copy_landed(const Copy&) {}
void end() {}
void report(std::string&) {}
}  // namespace emulator::monitor
#else
namespace emulator::monitor {
void seen_atomic(void* address, int bytes, void* caller);
}
extern "C" void emulator_atomic(void* address, int bytes, void* caller) {
  count_atomic();
  emulator::monitor::seen_atomic(address, bytes, caller);
}
#endif
