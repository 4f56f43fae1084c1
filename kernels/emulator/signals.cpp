// What takes a thread back that does not give up by itself.
//
// Each worker has a clock of its own processor time, so that a machine that is busy, or a process that was
// stopped, is no reason to complain. At every tick a thread that runs lets the others of its block run: it may
// wait for one of them, in a loop on plain memory. Where nobody has come further for `limit` seconds, or where
// the launch is to be given up (Ctrl-C, a finding of another worker), the thread is left where it is.
//
// A fault in a kernel ends the launch, not the process: the stack has overflown into its guard, an address holds
// no memory, a division has no result.

#include <cerrno>
#include <csignal>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

namespace emulator::signals {
namespace {

constexpr double TICK = 0.02;  // seconds of a processor
constexpr int CLOCK = SIGURG;  // ignored by a process that does not ask for it
constexpr int FAULTS[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
constexpr std::size_t ROOM = 64 << 10;  // for handlers of faults: the stack may be what has no room

struct sigaction before_clock, before_interrupt, before_fault[std::size(FAULTS)];
std::atomic<int> interrupts;

// Where the thread was, as a return address: the instruction before it is the one that counts.
void* here(void* context) {
  const auto& registers = ((ucontext_t*)context)->uc_mcontext;
#if defined(__x86_64__)
  return (char*)registers.gregs[REG_RIP] + 1;
#elif defined(__aarch64__)
  return (char*)registers.pc + 1;
#else
  return nullptr;
#endif
}

[[noreturn]] void leave(Left why, void* at, void* address = nullptr) {
  if (self->touching)
    at = self->touching;
  else if (at >= (void*)first_of_the_runtime && self->caller)
    at = self->caller;  // the last line that is known
  self->place = {}, self->caller = at;
  if (worker->left == Left::no) worker->left = why;
  worker->leaver = self, worker->address = address;
  abandoned = true;
  _longjmp(worker->home, 1);
}

void tick(void* at) {
  if (self->fruitless && self->caller) at = self->caller;  // the line of the atomic, not the runtime's
  if (abandoned) leave(Left::interrupted, at);
  if (launch->limit > 0 && worker->quiet * TICK >= launch->limit) leave(Left::endless, at);
  if (!WATCHED) park(State::ready, {}, at);  // instrumented launches take turns by what they count
}

// The program's own use of the signal, where it has one.
void hand_on(int number, siginfo_t* info, void* context) {
  if (before_clock.sa_flags & SA_SIGINFO)
    before_clock.sa_sigaction(number, info, context);
  else if (before_clock.sa_handler != SIG_DFL && before_clock.sa_handler != SIG_IGN)
    before_clock.sa_handler(number);
}

void on_tick(int number, siginfo_t* info, void* context) {
  if (info->si_code != SI_TIMER || info->si_value.sival_ptr != &before_clock) return hand_on(number, info, context);
  if (!worker) return;
  const int error = errno;
  ++worker->quiet, ++worker->barren;
  if (launch->limit > 0 && worker->barren * TICK >= BARREN * launch->limit && !abandoned)
    worker->left = Left::barren, abandoned = true;  // whoever runs sees it, a thread or the worker
  Thread* t = self;
  char* stack = (char*)&t;
  // not on its way to or from the worker
  if (t && t->state == State::ready && stack > (char*)t && stack < (char*)t + STACK) {
    if (t->busy)
      t->late = true;
    else
      tick(here(context));
  }
  errno = error;
}

void on_interrupt(int) {
  if (++interrupts >= launch->patience) abandoned = true;
}

void on_fault(int number, siginfo_t* info, void* context) {
  if (worker && self && (!self->busy || self->touching)) {
    const std::size_t offset = (char*)info->si_addr - worker->stacks;
    const bool guard = offset < worker->guarded * STACK && offset % STACK / page == 1;
    Left why = number == SIGFPE ? Left::division : number == SIGILL || number == SIGTRAP ? Left::trap : Left::fault;
    if (why == Left::fault && guard) why = Left::overflow;
    if (why == Left::fault && info->si_code == SI_KERNEL) why = Left::unaligned;  // it does not say the address
    leave(why, here(context), info->si_addr);
  }
  for (std::size_t i = 0; i < std::size(FAULTS); ++i)  // not a kernel's: it happens again, and others hear it
    if (FAULTS[i] == number) sigaction(number, &before_fault[i], nullptr);
}

void listen(int number, void (*handler)(int, siginfo_t*, void*), int flags, struct sigaction* before) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_NODEFER | flags;  // left by a jump, after which it must be heard again
  sigaction(number, &action, before);
}

}  // namespace

void begin() {
  interrupts = 0;
  listen(CLOCK, on_tick, SA_RESTART, &before_clock);
  for (std::size_t i = 0; i < std::size(FAULTS); ++i) listen(FAULTS[i], on_fault, SA_ONSTACK, &before_fault[i]);
  if (!launch->patience) return;
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, &before_interrupt);
}

bool end() {
  sigaction(CLOCK, &before_clock, nullptr);
  for (std::size_t i = 0; i < std::size(FAULTS); ++i) sigaction(FAULTS[i], &before_fault[i], nullptr);
  if (!launch->patience) return false;
  sigaction(SIGINT, &before_interrupt, nullptr);
  if (interrupts >= launch->patience) return true;
  if (interrupts) raise(SIGINT);  // heard, and handed on
  return false;
}

void arm(Worker& mine) {
  mine.handlers = std::make_unique<char[]>(ROOM);
  const stack_t stack = {mine.handlers.get(), 0, ROOM};
  sigaltstack(&stack, &mine.before);
  sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = CLOCK;
  event.sigev_value.sival_ptr = &before_clock;  // a tick of ours
  event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
  mine.armed = !timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &mine.timer);
  const long nanoseconds = (long)(TICK * 1e9);
  const itimerspec every = {{0, nanoseconds}, {0, nanoseconds}};
  if (mine.armed) timer_settime(mine.timer, 0, &every, nullptr);
}

void disarm(Worker& mine) {
  if (mine.armed) timer_delete(mine.timer);
  sigaltstack(&mine.before, nullptr);
}

// The clock has ticked while the thread was not to be taken back.
void catch_up(Thread* t) {
  t->late = false;
  if (t == self && t->state == State::ready) tick(CALLER);
}

}  // namespace emulator::signals
