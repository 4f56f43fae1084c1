// A launch's memory, and where wanted its process: whatever a kernel destroys, it destroys there.
//
// The arguments are copied into one piece of memory, pages between them that may not be touched, so that what
// runs off one of them is seen, and copied back afterwards. Instrumented mode sees every access by itself; in
// plain mode an array ends where such a page begins.
//
// A pointer that is wrong by more than that may lead to Python's own memory. So a kernel that glassgrad does not
// vouch for runs in a child, which shares nothing with us but the copies: a heap that it has wrecked goes with it.

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime.h"

namespace emulator::apart {
namespace {

constexpr std::size_t LINE = 256;  // what a GPU's own allocations are multiples of
constexpr std::size_t WORD = 16;   // the widest load; in plain mode the start of an array is a multiple of it
constexpr unsigned char FILL = 0xa5;  // of what is left between the end of an array and the page after it
constexpr int LOOK = 50;              // milliseconds after which a Ctrl-C is noticed, at the latest

constexpr std::size_t KEEP = 8 << 20;  // bytes that are kept for the next launch, as pages take time to get

struct {
  char* base = nullptr;
  std::size_t bytes = 0;
} kept;

std::atomic<int> interrupts;
void on_interrupt(int) { ++interrupts; }

double seconds(clockid_t clock) {
  timespec now;
  return clock_gettime(clock, &now) ? -1 : now.tv_sec + 1e-9 * now.tv_nsec;
}

// Of a child that has ended without an answer: how, and what may be the reason.
std::string end_of(int status) {
  const int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (!number && WEXITSTATUS(status)) return text("its process has ended with code %d", WEXITSTATUS(status));
  const char* reason = ": the kernel has probably written where memory is that is not its own";
  if (!number) return text("its process has ended without a whole answer%s", reason);
  if (number == SIGKILL) reason = ": killed from outside, perhaps for lack of memory";
  else if (number == SIGTERM || number == SIGHUP) reason = ": killed from outside";
  else if (number == SIGFPE) reason = ": a division of integers by zero, say";
  return text("its process has ended by %s%s", strsignal(number), reason);
}

// An answer after its length, as a child sends it; empty where that is not what came.
std::string whole(const std::string& said) {
  const std::size_t line = said.find('\n');
  if (line == std::string::npos || said.compare(0, line, std::to_string(said.size() - line - 1))) return "";
  return said.substr(line + 1);
}

std::size_t up(std::size_t n, std::size_t step) { return (n + step - 1) / step * step; }

}  // namespace

// Copies of the arguments, and pointers to them in their stead.
Memory::Memory(Launch& launch) : launch(launch), own(launch.arrays, launch.arrays + launch.count) {
  bytes = FENCE;
  for (const Array& a : own) bytes += up(a.bytes, page) + FENCE, used += a.bytes;
  if (!launch.apart && kept.base && kept.bytes >= bytes) {
    std::swap(base, kept.base), bytes = kept.bytes;
    if (mprotect(base, bytes, PROT_NONE)) return;
  } else {
    const int whose = launch.apart ? MAP_SHARED : MAP_PRIVATE;
    void* place = mmap(nullptr, bytes, PROT_NONE, whose | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) return;
    base = (char*)place;
  }
  char* next = base + FENCE;
  for (int i = 0; i < launch.count; ++i) {
    Array& a = launch.arrays[i];
    for (int j = 0; j < i; ++j)  // one array for two parameters, neither of which is written
      if (own[j].data == a.data && own[j].bytes == a.bytes) a.data = launch.arrays[j].data;
    if (a.data == own[i].data) {
      const std::size_t pages = up(a.bytes, page);
      if (pages && mprotect(next, pages, PROT_READ | PROT_WRITE)) return;
      a.data = WATCHED ? next : next + pages - up(a.bytes, WORD);
      std::memset(next, FILL, a.data - next);
      if (a.bytes) std::memcpy(a.data, own[i].data, a.bytes);
      std::memset(a.data + a.bytes, FILL, next + pages - a.data - a.bytes);
      if (!WATCHED && !a.writable && pages) mprotect(next, pages, PROT_READ);
      next += pages + FENCE;
    }
    *a.cell = a.data;
  }
  whole = true;
}

// What a kernel has written where no array is, but memory: in the last bytes before a page.
void Memory::look_around() const {
  if (WATCHED) return;
  for (int i = 0; i < launch.count; ++i) {
    const Array& a = launch.arrays[i];
    char* const end = a.data + up(a.bytes, WORD);
    for (char* p = (char*)((std::uintptr_t)a.data / page * page); p < end; ++p)
      if ((p < a.data || p >= a.data + a.bytes) && (unsigned char)*p != FILL && a.writable) {
        const long at = p < a.data ? a.data - p : p - a.data - (long)a.bytes;
        finding("out of bounds",
                text("a thread has stored something %ld bytes %s of #%d#", at,
                     p < a.data ? "before the start" : "past the end", i), {});
        break;
      }
  }
}

// The results, to where they belong.
void Memory::give_back() const {
  for (int i = 0; i < launch.count; ++i)
    if (own[i].writable && own[i].bytes) std::memcpy(own[i].data, launch.arrays[i].data, own[i].bytes);
}

Memory::~Memory() {
  for (int i = 0; i < launch.count; ++i) launch.arrays[i].data = own[i].data, *own[i].cell = own[i].data;
  if (base && !launch.apart && used <= KEEP) std::swap(base, kept.base), std::swap(bytes, kept.bytes);
  if (base) munmap(base, bytes);
}

// The answer of a launch that `here` runs in a child; empty where the child has ended without one, and why.
std::string in_a_child(std::string (*here)(), std::string& why, bool& interrupted) {
  int pipes[2];
  fflush(stdout);  // else the child would print it, too
  if (pipe(pipes)) return why = text("there is no pipe to a process of its own: %s", strerror(errno)), "";
  interrupts = 0, interrupted = false;
  struct sigaction action = {}, before;
  action.sa_handler = on_interrupt;
  if (launch->patience) sigaction(SIGINT, &action, &before);
  const pid_t parent = getpid(), child = fork();
  if (!child) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    close(pipes[0]);
    // Python's handlers are for Python; Ctrl-C is the parent's matter
    for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGTERM, SIGHUP}) signal(number, SIG_DFL);
    for (int number : {SIGINT, SIGPIPE}) signal(number, SIG_IGN);
    const_cast<Launch*>(launch)->patience = 0;
    std::string said = here();
    said = std::to_string(said.size()) + "\n" + said;
    for (std::size_t at = 0; at < said.size();) {
      const ssize_t written = write(pipes[1], said.data() + at, said.size() - at);
      if (written <= 0 && errno != EINTR) _exit(1);
      at += written > 0 ? written : 0;
    }
    _exit(0);
  }
  close(pipes[1]);
  std::string said;
  int status = 0;
  if (child < 0) {
    why = text("there is no process of its own: %s", strerror(errno));
  } else {
    // A kernel that calls sleep or pause takes no time of the processor, by which its own limit goes.
    clockid_t clock = -1;
    if (launch->limit > 0 && clock_getcpuclockid(child, &clock)) clock = -1;
    double worked = -1, since = seconds(CLOCK_MONOTONIC);
    for (;;) {
      pollfd ready = {pipes[0], POLLIN, 0};
      if (poll(&ready, 1, LOOK) > 0) {
        char buffer[1 << 16];
        const ssize_t got = read(pipes[0], buffer, sizeof buffer);
        if (got > 0) said.append(buffer, got), since = seconds(CLOCK_MONOTONIC);
        if (!got || (got < 0 && errno != EINTR)) break;
      }
      if (launch->patience && interrupts >= launch->patience) {
        interrupted = true;
        kill(child, SIGKILL);
        break;
      }
      if (clock == -1) continue;
      const double work = seconds(clock), now = seconds(CLOCK_MONOTONIC);
      if (work != worked) {
        worked = work, since = now;
      } else if (now - since > launch->limit) {
        why = text("its process has slept for %g s, and was killed: a kernel may not wait for anything outside",
                   launch->limit);
        kill(child, SIGKILL);
        break;
      }
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  }
  close(pipes[0]);
  if (launch->patience) {
    sigaction(SIGINT, &before, nullptr);
    if (interrupts && !interrupted) raise(SIGINT);  // heard, and handed on
  }
  if (!why.empty() || interrupted) return "";
  std::string answer = whole(said);
  if (answer.empty()) why = end_of(status);
  return answer;
}

}  // namespace emulator::apart
