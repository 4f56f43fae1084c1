// What kernels call: the functions behind the macros of cuda.h.

#include <algorithm>
#include <cstdarg>

#include "runtime.h"

using namespace emulator;

constexpr std::size_t STATIC = 48 << 10;  // bytes of __shared__ that a kernel may declare
constexpr long TURN = 256;  // atomics in vain, after which the other threads have their turn

extern "C" const Where* emulator_where() { return &self->where; }

extern "C" void* emulator_dynamic_shared() { return self->block->shared; }

extern "C" void* emulator_shared(const void* declaration, std::size_t bytes, std::size_t alignment,
                                 const char* name) {
  Busy busy;  // what was found must not move while other threads declare
  Block& block = *self->block;
  const auto known = block.declared.find(declaration);
  if (known != block.declared.end()) return known->second.base;
  const std::size_t gaps = GAP * (block.declared.size() + 1);
  block.used = (block.used + alignment - 1) / alignment * alignment;
  if (block.used + bytes > STATIC + (launch->dynamic_shared + 15) / 16 * 16 || block.used + bytes + gaps > SHARED) {
    finding("shared memory", text("a block may declare %zu bytes, and this declares more", STATIC), {});
    abandon();
  }
  char* place = block.shared + block.used + gaps;
  block.used += bytes;
  block.declared[declaration] = {place, bytes, name};
  return place;
}

extern "C" int emulator_barrier(Place place, int kind, int predicate) {
  self->kind = kind, self->value = predicate;
  park(State::barrier, place, CALLER);
  return self->value;
}

extern "C" void emulator_grid_barrier(Place place) {
  if (!launch->cooperative) {
    Busy busy;
    finding("grid barrier", "the launch is not cooperative: its blocks need not run at the same time", place);
    abandon();
  }
  park(State::grid, place, CALLER);
}

static std::uint64_t meet(Place place, void* caller, Warp kind, unsigned mask, std::uint64_t value, int parameter,
                          int width) {
  Thread* t = self;
  t->warp = kind, t->mask = mask, t->bits = value, t->parameter = parameter, t->width = width;
  park(State::warp, place, caller);
  return self->bits;
}

extern "C" std::uint64_t emulator_warp(Place place, Warp kind, unsigned mask, std::uint64_t value, int parameter,
                                       int width) {
  return meet(place, CALLER, kind, mask, value, parameter, width);
}

extern "C" void emulator_mma(Place place, Warp kind, float* d, const void* a, const void* b) {
  self->a = a, self->b = b, self->d = d;
  meet(place, CALLER, kind, 0xffffffffu, 0, 0, 32);
}

extern "C" void emulator_copy_async(void* to, const void* from, int bytes) {
  Busy busy;
  const Copy copy{to, from, bytes, CALLER};
  if (((std::uintptr_t)to | (std::uintptr_t)from) % bytes) {
    finding("misaligned", describe(self) + text(": a copy of %d bytes needs addresses that divide by it", bytes),
            {}, copy.caller);
    abandon();
  }
  monitor::copy_started(copy);
  self->open->push_back(copy);
}

extern "C" void emulator_copy_async_commit() {
  Busy busy;
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
  Busy busy;
  groups.erase(groups.begin(), groups.begin() + landed);
}

// Called by the compiler's own check, as the division itself would end the process.
extern "C" void __ubsan_handle_divrem_overflow(const Source* place, ...) {
  Busy busy;
  finding("overflow", describe(self) + ": division by zero", {place->file, (int)place->line});
  abandon();
}

// A thread that spins on an atomic lets the others run.
extern "C" void emulator_fruitless(void* caller) {
  if (++self->fruitless % TURN == 0) park(State::ready, {}, caller ? caller : CALLER);
}

extern "C" int emulator_printf(const char* form, ...) {
  Busy busy;
  va_list arguments;
  va_start(arguments, form);
  const int written = vprintf(form, arguments);
  va_end(arguments);
  return written;
}

#ifndef GLASSGRAD_INSTRUMENTED
namespace emulator::monitor {
void begin(const Launch&, const char*, std::size_t) {}
void begin_block(Block&) {}
void warp_met(Block&, int) {}
void end_interval(Block&) {}
void copy_started(const Copy&) {}
void copy_landed(const Copy&) {}
void report(std::string&) {}
}  // namespace emulator::monitor
#endif
