// What kernels call: the functions behind the macros of cuda.h.

#include <algorithm>
#include <cstdarg>

#include "runtime.h"

using namespace emulator;

constexpr long TURN = 256;  // atomics in vain, after which the other threads have their turn

extern "C" const Where* emulator_where() { return &self->where; }

extern "C" void* emulator_dynamic_shared() { return self->block->shared; }

extern "C" void* emulator_shared(const void* declaration, std::size_t bytes, std::size_t alignment,
                                 const char* name) {
  Busy busy;  // what was found must not move while other threads declare
  Block& block = *self->block;
  const auto known = block.declared.find(declaration);
  if (known != block.declared.end()) return known->second.base;
  const std::size_t gaps = GAP * (block.declared.size() + 1), dynamic = (launch->dynamic_shared + 15) / 16 * 16;
  block.used = (block.used + alignment - 1) / alignment * alignment;
  const std::size_t all = block.used + bytes;
  if (all > STATIC + dynamic || all > MOST || all + gaps > SHARED) {
    finding("shared memory",
            text("with %s the block's arrays take %zu bytes of shared memory and %zu dynamic ones: it has %zu, "
                 "%zu of them for what is declared", name, all - dynamic, dynamic, MOST, STATIC),
            {}, CALLER);
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

// The first thread of each block counts it, as device.cuh does on a GPU; the meeting itself needs no counter.
extern "C" void emulator_grid_barrier(Place place, unsigned* counter) {
  if (!launch->cooperative) {
    Busy busy;
    finding("grid barrier", "the launch is not cooperative: its blocks need not run at the same time", place);
    abandon();
  }
  if (self->index == 0) {
    monitor::atomic(counter, sizeof *counter, CALLER);
    InTheNameOf kernel(CALLER);
    Busy busy;  // taken back between the two counts, another thread would count in between
    const unsigned blocks = launch->grid.x * launch->grid.y * launch->grid.z, before = (*counter)++;
    if (before % blocks != grid_arrived++ % blocks) {
      finding("grid barrier", describe(self) + text(": the counter holds %u where %u of %u blocks have come; it must "
                                                    "be zero at launch", before, grid_arrived - 1, blocks),
              place, CALLER);
      abandon();
    }
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
  const bool far = kind != Warp::shuffle && (unsigned)parameter >= WARP;
  if (kind <= Warp::exchange && (far || width < 1 || width > WARP || (width & (width - 1)))) {
    Busy busy;
    finding("warp",
            describe(self) + (far ? text(": a shuffle over %d lanes; a GPU takes the last five bits of it", parameter)
                                  : text(": a shuffle within %d lanes; it must be 1, 2, 4, 8, 16 or 32", width)),
            place, CALLER);
    abandon();
  }
  return meet(place, CALLER, kind, mask, value, parameter, width);
}

extern "C" void emulator_mma(Place place, Warp kind, float* d, const void* a, const void* b) {
  Thread* t = self;
  monitor::load(a, sizeof t->a, CALLER), monitor::load(b, sizeof t->b, CALLER), monitor::load(d, sizeof t->d, CALLER);
  {
    InTheNameOf kernel(CALLER);
    std::memcpy(t->a, a, sizeof t->a), std::memcpy(t->b, b, sizeof t->b), std::memcpy(t->d, d, sizeof t->d);
  }
  meet(place, CALLER, kind, 0xffffffffu, 0, 0, 32);
  monitor::store(d, sizeof t->d, CALLER);
  InTheNameOf kernel(CALLER);
  std::memcpy(d, t->d, sizeof t->d);
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
      InTheNameOf kernel(copy.caller);
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
  std::string said;
  va_list arguments, again;
  va_start(arguments, form);
  va_copy(again, arguments);
  {
    InTheNameOf kernel(CALLER);  // a %s may lead anywhere; stdout is not locked yet
    const int length = vsnprintf(nullptr, 0, form, arguments);
    said.resize(length > 0 ? length + 1 : 1);
    vsnprintf(&said[0], said.size(), form, again);
  }
  va_end(arguments), va_end(again);
  return (int)fwrite(said.data(), 1, said.size() - 1, stdout);
}

#ifndef GLASSGRAD_INSTRUMENTED
namespace emulator::monitor {
void begin(const Launch&, const char*, std::size_t) {}
void begin_block(Block&) {}
void warp_met(Thread**) {}
void load(const void*, int, void*) {}
void store(void*, int, void*) {}
void atomic(void*, int, void*) {}
void end_interval(Block&) {}
void copy_started(const Copy&) {}
void copy_landed(const Copy&) {}
void end(std::string&) {}
}  // namespace emulator::monitor
#endif
