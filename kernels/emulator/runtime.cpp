// Runs the blocks of a launch over the cores and the threads of a block as fibers.
//
// A worker takes one block at a time. Each thread runs until it ends or parks itself: at a barrier of its
// block, at a meeting of its warp, at the barrier of the grid. When nobody can run, whoever waits for what
// has arrived is released; when nothing has arrived either, the launch is a deadlock and says who waits where.
// In a cooperative launch all blocks are resident at once, on one worker.
//
// A thread that neither ends nor parks is made to: after a tick of its worker's clock (signals.cpp) the other
// threads of its block have their turn, and where nobody has come further for long, the launch ends.
//
// A fiber starts once through ucontext and is switched with _setjmp and _longjmp, which save no signal mask
// and so cost nanoseconds. A fiber that has ended takes the next thread: a kernel without barriers runs on
// a single stack.

#include <algorithm>
#include <atomic>
#include <dlfcn.h>
#include <sched.h>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

#include "runtime.h"

namespace emulator {

const std::size_t page = sysconf(_SC_PAGESIZE);
thread_local Thread* self = nullptr;
thread_local Worker* worker = nullptr;
std::uint32_t grid_epoch = 0, grid_arrived = 0;
const Launch* launch = nullptr;
std::atomic<bool> abandoned;

namespace {

constexpr std::size_t GUARDED = 8192;  // stacks of one worker that get a guard: the system counts them

[[noreturn]] void fiber() {
  for (;;) {
    Thread* t = self;
    launch->kernel(launch->arguments);
    t->state = State::done;
    if (!_setjmp(t->context)) _longjmp(worker->home, 1);
  }
}

// Run the thread until it parks.
void resume(Thread* t) {
  if (!_setjmp(worker->home)) {
    self = t;
    if (t->started) _longjmp(t->context, 1);
    t->started = true;
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = (char*)t + 2 * page;
    context.uc_stack.ss_size = STACK - 2 * page;
    context.uc_link = nullptr;
    makecontext(&context, (void (*)())fiber, 0);
    setcontext(&context);
  }
  self = nullptr;
  t->busy = 0, t->late = false;
}

Thread* new_stack() {
  char* low = worker->stacks + worker->next * STACK;
  if (worker->next == worker->guarded && worker->guarded < GUARDED && !mprotect(low + page, page, PROT_NONE))
    ++worker->guarded;
  ++worker->next;
  Thread* t = new (low) Thread();
  t->open = new std::vector<Copy>();
  t->groups = new std::vector<std::vector<Copy>>();
  return t;
}

Thread* new_thread(Block& block, int index) {
  Thread* t;
  if (worker->idle.empty()) {
    t = new_stack();
  } else {
    t = worker->idle.back();
    worker->idle.pop_back();
  }
  const dim3 size = launch->block;
  const unsigned i = index;
  t->where = {{i % size.x, i / size.x % size.y, i / (size.x * size.y)}, block.index, size, launch->grid};
  t->block = &block;
  t->index = index;
  t->state = State::ready;
  t->fruitless = t->accesses = 0;
  t->clock = 0, t->touching = nullptr;
  std::fill(t->seen, t->seen + WARP, 0);
  return t;
}

// ---- barriers ---------------------------------------------------------------------------------------------

// Release the block's barrier if every thread that has not ended is there.
bool resolve_barrier(Block& block) {
  Thread *first = nullptr, *elsewhere = nullptr;
  int waiting = 0, conjunction = 1, disjunction = 0, sum = 0;
  for (Thread* t : block.threads) {
    if (!t) continue;
    if (t->state != State::barrier) return false;
    if (!first) first = t;
    if (t->place.number != first->place.number) elsewhere = t;
    ++waiting;
    conjunction &= t->value, disjunction |= t->value, sum += t->value;
  }
  if (!waiting) return false;
  const int ended = (int)block.threads.size() - waiting;
  if (WATCHED && ended)  // a GPU goes on without them since Volta, where the others are all of the block's
    finding("divergent barrier",
            text("%d of %d threads of block (%u, %u, %u) have ended without reaching it", ended,
                 (int)block.threads.size(), block.index.x, block.index.y, block.index.z),
            first->place, first->caller);
  if (elsewhere)
    finding("divergent barrier",
            describe(first) + " waits here, " + describe(elsewhere) + " at " +
                (elsewhere->place.line == first->place.line ? "another one of this line"
                                                            : line(elsewhere->place, elsewhere->caller)),
            first->place, first->caller);
  monitor::end_interval(block);
  ++block.epoch;
  for (Thread* t : block.threads) {
    if (!t) continue;
    t->value = t->kind == 1 ? conjunction : t->kind == 2 ? disjunction : sum;
    t->state = State::ready;
    t->fruitless = t->accesses = 0;
  }
  return true;
}

// ---- one set of resident blocks ------------------------------------------------------------------------------

bool runs_on(Block& block) {  // run every thread that can; true if one could
  bool ran = false;
  const int count = block.threads.size();
  for (int warp = 0; warp * WARP < count; ++warp) {
    bool again = true;
    while (again && !abandoned) {
      again = false;
      for (int i = warp * WARP; i < std::min(count, (warp + 1) * WARP) && !abandoned; ++i) {
        if (block.ended[i]) continue;
        if (!block.threads[i]) block.threads[i] = new_thread(block, i);
        Thread* t = block.threads[i];
        if (t->state != State::ready) continue;
        resume(t);
        ran = true;  // also where it spins, and lets the others go first
        if (t->state != State::ready) worker->quiet = 0;
        if (t->state == State::done) {
          worker->barren = 0;
          if (!t->open->empty()) t->groups->push_back(*t->open);
          for (const auto& group : *t->groups)
            if (!group.empty()) {
              finding("copy", describe(t) + " has ended before this copy had landed: it waits for none", {},
                      group[0].caller);
              break;
            }
          t->open->clear(), t->groups->clear();
          block.ended[i] = true;
          block.threads[i] = nullptr;
          worker->idle.push_back(t);
          --block.alive;
        }
      }
      if (resolve_warp(block, warp)) again = true;
    }
  }
  return ran;
}

void run(const std::vector<Block*>& blocks) {
  for (Block* block : blocks) monitor::begin_block(*block);
  for (;;) {
    bool progress = false;
    int alive = 0;
    for (Block* block : blocks) {
      if (!block->alive) continue;
      do progress |= runs_on(*block);
      while (!abandoned && block->alive && resolve_barrier(*block));
      if (abandoned) return say_why_left(blocks);
      if (!block->alive) monitor::end_interval(*block);
      alive += block->alive;
    }
    if (!alive) return;
    int at_grid = 0, there = 0;
    for (Block* block : blocks)
      for (Thread* t : block->threads) there += t != nullptr, at_grid += t && t->state == State::grid;
    const bool everybody = at_grid == (int)(blocks.size() * blocks[0]->threads.size());
    if (everybody) {
      ++grid_epoch, grid_arrived = 0;
      for (Block* block : blocks) {
        monitor::end_interval(*block);
        ++block->epoch;
        for (Thread* t : block->threads) t->state = State::ready, t->fruitless = t->accesses = 0;
      }
    } else if (!progress) {
      say_who_waits(blocks, "");
      abandoned = true;
      return;
    }
  }
}

Block* new_block(std::uint64_t number, char* arena) {
  const dim3 grid = launch->grid, size = launch->block;
  Block* block = new Block();
  block->index = {unsigned(number % grid.x), unsigned(number / grid.x % grid.y),
                  unsigned(number / ((std::uint64_t)grid.x * grid.y))};
  block->number = number + 1;
  block->alive = size.x * size.y * size.z;
  block->threads.assign(block->alive, nullptr);
  block->ended.assign(block->alive, false);
  block->shared = arena;
  block->used = (launch->dynamic_shared + 15) / 16 * 16;
  return block;
}

int cores() {  // that this process may use
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) ? (int)std::thread::hardware_concurrency() : CPU_COUNT(&set);
}

char* reserve(std::size_t bytes) {
  void* place = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return place == MAP_FAILED ? nullptr : (char*)place;
}

}  // namespace

// Park the thread that runs, until it is resumed.
void park(State state, Place place, void* caller) {
  Thread* t = self;
  t->busy = 1;  // a tick now would write another place over this one; `resume` takes it back
  t->place = place;
  t->caller = caller;
  t->state = state;
  if (!_setjmp(t->context)) _longjmp(worker->home, 1);
}

void abandon() {
  abandoned = true;
  self->state = State::ready;
  _longjmp(worker->home, 1);
}

}  // namespace emulator

using namespace emulator;

// ---- what launch.py calls --------------------------------------------------------------------------------------

extern "C" const char* emulator_launch(Launch* wanted);

static const apart::Memory* memory = nullptr;  // of this launch

static std::string answer(bool interrupted) {
  Dl_info library;
  dladdr((void*)&emulator_launch, &library);
  std::string json = "{\"findings\": [" + findings_as_json();
  json += text("], \"interrupted\": %s, \"base\": %llu", interrupted ? "true" : "false",
               (unsigned long long)library.dli_fbase);
  monitor::end(json);
  return json + "}";
}

static std::string run_here() {
  const Launch* wanted = launch;
  abandoned = false;
  grid_epoch = grid_arrived = 0;
  const std::uint64_t blocks = (std::uint64_t)wanted->grid.x * wanted->grid.y * wanted->grid.z;
  const std::size_t threads = (std::size_t)wanted->block.x * wanted->block.y * wanted->block.z;
  const std::size_t resident = wanted->cooperative ? blocks : 1;
  const int workers = wanted->cooperative || WATCHED ? 1 : (int)std::min<std::uint64_t>(cores(), blocks);

  std::atomic<std::uint64_t> next(0);
  auto work = [&](int number) {
    Worker mine;
    worker = &mine;
    Stacks none{}, &kept = number < KEPT && resident == 1 ? wanted->kept[number] : none;
    if (kept.capacity < resident * threads) {
      if (kept.base) munmap(kept.base, kept.capacity * STACK);
      kept = {reserve(resident * threads * STACK), resident * threads, 0};
    }
    mine.stacks = kept.base, mine.capacity = kept.capacity, mine.guarded = kept.guarded;
    char* arena = reserve(resident * SHARED);
    if (!mine.stacks || !arena) {
      finding("memory", text("no room for the stacks of %zu threads", mine.capacity), {});
    } else {
      monitor::begin(*wanted, mine.stacks, mine.capacity * STACK);
      signals::arm(mine);
      for (;;) {
        const std::uint64_t first = next.fetch_add(resident);
        if (first >= blocks || abandoned) break;
        std::vector<Block*> set;
        for (std::size_t i = 0; i < resident; ++i) set.push_back(new_block(first + i, arena + i * SHARED));
        run(set);
        for (Block* block : set) delete block;
      }
      signals::disarm(mine);
      for (std::size_t i = 0; i < mine.next; ++i) {
        Thread* t = (Thread*)(mine.stacks + i * STACK);
        delete t->open;
        delete t->groups;
      }
    }
    kept.guarded = mine.guarded;
    if (!kept.base) kept.capacity = 0;
    if (&kept == &none && mine.stacks) munmap(mine.stacks, mine.capacity * STACK);
    if (arena) munmap(arena, resident * SHARED);
    worker = nullptr;
  };
  signals::begin();
  std::vector<std::thread> others;
  for (int i = 1; i < workers; ++i) others.emplace_back(work, i);
  work(0);
  for (std::thread& other : others) other.join();
  const bool interrupted = signals::end();
  fflush(stdout);  // what the kernel has printed

  memory->look_around();
  return answer(interrupted);
}

// Run one launch; answers a JSON object that lives until the next call. One at a time: launch.py sees to it.
extern "C" const char* emulator_launch(Launch* wanted) {
  static std::string json;
  launch = wanted;
  clear_findings();
  apart::Memory copies(*wanted);
  memory = &copies;
  bool interrupted = false;
  std::string why;
  if (!copies.whole)
    why = "there is no room for copies of its arguments";
  else
    json = wanted->apart ? apart::in_a_child(run_here, why, interrupted) : run_here();
  if (!why.empty()) finding("crash", why, {});
  if (!why.empty() || interrupted)
    json = answer(interrupted);
  else
    copies.give_back();
  memory = nullptr;
  return json.c_str();
}
