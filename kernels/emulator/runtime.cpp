// Runs the blocks of a launch over the cores and the threads of a block as fibers.
//
// A worker takes one block at a time. Each thread runs until it ends or parks itself: at a barrier of its
// block, at a meeting of its warp, at the barrier of the grid. When nobody can run, whoever waits for what
// has arrived is released; when nothing has arrived either, the launch is a deadlock and says who waits where.
// In a cooperative launch all blocks are resident at once, on one worker.
//
// A fiber starts once through ucontext and is switched with _setjmp and _longjmp, which save no signal mask
// and so cost nanoseconds. A fiber that has ended takes the next thread: a kernel without barriers runs on
// a single stack.

#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <mutex>
#include <sys/mman.h>
#include <thread>

#include "runtime.h"

namespace emulator {

thread_local Thread* self = nullptr;
std::uint32_t grid_epoch = 0;
const Launch* launch = nullptr;
std::atomic<bool> abandoned;

namespace {

struct Finding {
  std::string kind, message;
  Place place;
  void* caller;
  long count;
};
std::vector<Finding> findings;
std::mutex findings_lock;

struct Worker {
  char* stacks = nullptr;
  std::size_t capacity = 0;
  std::size_t next = 0;         // stacks handed out so far
  std::vector<Thread*> idle;    // fibers that have ended their thread
  jmp_buf home;
};
thread_local Worker* worker = nullptr;

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
  self = t;
  if (!_setjmp(worker->home)) {
    if (t->started) _longjmp(t->context, 1);
    t->started = true;
    ucontext_t context;
    getcontext(&context);
    const std::size_t head = (sizeof(Thread) + 255) / 256 * 256;
    context.uc_stack.ss_sp = (char*)t + head;
    context.uc_stack.ss_size = STACK - head;
    context.uc_link = nullptr;
    makecontext(&context, (void (*)())fiber, 0);
    setcontext(&context);
  }
  self = nullptr;
}

Thread* new_thread(Block& block, int index) {
  Thread* t;
  if (!worker->idle.empty()) {
    t = worker->idle.back();
    worker->idle.pop_back();
  } else {
    t = new (worker->stacks + worker->next++ * STACK) Thread();
    t->open = new std::vector<Copy>();
    t->groups = new std::vector<std::vector<Copy>>();
  }
  const dim3 size = launch->block;
  const unsigned i = index;
  t->where = {{i % size.x, i / size.x % size.y, i / (size.x * size.y)}, block.index, size, launch->grid};
  t->block = &block;
  t->index = index;
  t->state = State::ready;
  t->atomics = t->accesses = 0;
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
    if (t->place.line != first->place.line) elsewhere = t;
    ++waiting;
    conjunction &= t->value, disjunction |= t->value, sum += t->value;
  }
  if (!waiting) return false;
  const int ended = (int)block.threads.size() - waiting;
  if (ended)
    finding("divergent barrier",
            text("%d of %d threads of block (%u, %u, %u) have ended without reaching it", ended,
                 (int)block.threads.size(), block.index.x, block.index.y, block.index.z),
            first->place);
  if (elsewhere)
    finding("divergent barrier",
            describe(first) + text(" waits here, ") + describe(elsewhere) +
                text(" at line %d", elsewhere->place.line),
            first->place);
  monitor::end_interval(block);
  ++block.epoch;
  for (Thread* t : block.threads) {
    if (!t) continue;
    t->value = t->kind == 1 ? conjunction : t->kind == 2 ? disjunction : sum;
    t->state = State::ready;
    t->atomics = t->accesses = 0;
  }
  return true;
}

void say_who_waits(const std::vector<Block*>& blocks) {
  std::map<std::pair<int, int>, std::pair<int, Thread*>> groups;  // (state, line) -> how many, one of them
  int ended = 0;
  for (Block* block : blocks) {
    ended += std::count(block->ended.begin(), block->ended.end(), true);
    for (Thread* t : block->threads) {
      if (!t) continue;
      auto& group = groups[{(int)t->state, t->place.line}];
      if (!group.first++) group.second = t;
    }
  }
  static const char* WHAT[] = {"runs", "at the barrier", "at the barrier of the grid",
                               "for its warp", "ended"};
  std::string message;
  Place place;
  for (auto& [key, group] : groups) {
    if (!message.empty()) message += "; ";
    place = group.second->place;
    message += text("%d wait %s at line %d (%s)", group.first, WHAT[key.first], key.second,
                    describe(group.second).c_str());
  }
  if (ended) message += text("; %d have ended", ended);
  finding("deadlock", message, place);
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
        ran = true;
        if (t->state == State::ready) again = true;  // it spins, and lets the others go first
        if (t->state == State::done) {
          if (!t->open->empty() || !t->groups->empty()) {
            t->open->clear(), t->groups->clear();
            finding("copy", describe(t) + " has ended with asynchronous copies under way", t->place);
          }
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
      if (abandoned) return;
      if (!block->alive) monitor::end_interval(*block);
      alive += block->alive;
    }
    if (!alive) return;
    int at_grid = 0, there = 0;
    for (Block* block : blocks)
      for (Thread* t : block->threads) there += t != nullptr, at_grid += t && t->state == State::grid;
    const bool everybody = at_grid == (int)(blocks.size() * blocks[0]->threads.size());
    if (everybody) {
      ++grid_epoch;
      for (Block* block : blocks) {
        monitor::end_interval(*block);
        ++block->epoch;
        for (Thread* t : block->threads) t->state = State::ready, t->atomics = t->accesses = 0;
      }
    } else if (!progress) {
      say_who_waits(blocks);
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
  block->warp_epochs.assign((block->alive + WARP - 1) / WARP, 0);
  block->shared = arena;
  block->used = (launch->dynamic_shared + 15) / 16 * 16;
  return block;
}

char* reserve(std::size_t bytes) {
  void* place = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return place == MAP_FAILED ? nullptr : (char*)place;
}

std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

// Park the thread that runs, until it is resumed.
void park(State state, Place place) {
  Thread* t = self;
  t->state = state;
  t->place = place;
  if (!_setjmp(t->context)) _longjmp(worker->home, 1);
}

std::string text(const char* form, ...) {
  char buffer[512];
  va_list arguments;
  va_start(arguments, form);
  vsnprintf(buffer, sizeof buffer, form, arguments);
  va_end(arguments);
  return buffer;
}

std::string describe(const Thread* t) {
  const uint3 b = t->where.block, i = t->where.thread;
  return text("block (%u, %u, %u) thread (%u, %u, %u)", b.x, b.y, b.z, i.x, i.y, i.z);
}

void finding(const std::string& kind, const std::string& message, Place place, void* caller) {
  std::lock_guard<std::mutex> guard(findings_lock);
  for (Finding& f : findings)
    if (f.kind == kind && f.place.line == place.line && f.caller == caller) {
      ++f.count;
      return;
    }
  if (findings.size() < 200) findings.push_back({kind, message, place, caller, 1});
}

void abandon() {
  abandoned = true;
  self->state = State::ready;
  _longjmp(worker->home, 1);
}

}  // namespace emulator

using namespace emulator;

// ---- what launch.py calls --------------------------------------------------------------------------------------

// Run one launch; answers a JSON object that lives until the next call.
extern "C" const char* emulator_launch(const Launch* wanted) {
  static std::string json;
  static std::mutex one_launch;
  std::lock_guard<std::mutex> guard(one_launch);
  launch = wanted;
  findings.clear();
  abandoned = false;
  grid_epoch = 0;
  const std::uint64_t blocks = (std::uint64_t)wanted->grid.x * wanted->grid.y * wanted->grid.z;
  const std::size_t threads = (std::size_t)wanted->block.x * wanted->block.y * wanted->block.z;
  const std::size_t resident = wanted->cooperative ? blocks : 1;
  const int workers = wanted->cooperative ? 1 : (int)std::min<std::uint64_t>(wanted->workers, blocks);

  std::atomic<std::uint64_t> next(0);
  auto work = [&] {
    Worker mine;
    worker = &mine;
    mine.capacity = resident * threads;
    mine.stacks = reserve(mine.capacity * STACK);
    char* arena = reserve(resident * SHARED);
    if (!mine.stacks || !arena) {
      finding("memory", text("no room for the stacks of %zu threads", mine.capacity), {});
    } else {
      monitor::begin(*wanted, mine.stacks, mine.capacity * STACK);
      for (;;) {
        const std::uint64_t first = next.fetch_add(resident);
        if (first >= blocks || abandoned) break;
        std::vector<Block*> set;
        for (std::size_t i = 0; i < resident; ++i) set.push_back(new_block(first + i, arena + i * SHARED));
        run(set);
        for (Block* block : set) delete block;
      }
      for (std::size_t i = 0; i < mine.next; ++i) {
        Thread* t = (Thread*)(mine.stacks + i * STACK);
        delete t->open;
        delete t->groups;
      }
    }
    if (mine.stacks) munmap(mine.stacks, mine.capacity * STACK);
    if (arena) munmap(arena, resident * SHARED);
    worker = nullptr;
  };
  std::vector<std::thread> others;
  for (int i = 1; i < workers; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();

  monitor::end();
  json = "{\"findings\": [";
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Finding& f = findings[i];
    json += (i ? ", " : "") + ("{\"kind\": " + quoted(f.kind)) + ", \"message\": " + quoted(f.message) +
            ", \"file\": " + quoted(f.place.file ? f.place.file : "") +
            text(", \"line\": %d, \"address\": %llu, \"count\": %ld}", f.place.line,
                 (unsigned long long)f.caller, f.count);
  }
  json += "]";
  monitor::report(json);
  json += "}";
  return json.c_str();
}
