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
    const std::string said = here();
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
    for (;;) {
      pollfd ready = {pipes[0], POLLIN, 0};
      if (poll(&ready, 1, LOOK) > 0) {
        char buffer[1 << 16];
        const ssize_t got = read(pipes[0], buffer, sizeof buffer);
        if (got > 0) said.append(buffer, got);
        if (!got || (got < 0 && errno != EINTR)) break;
      }
      if (launch->patience && interrupts >= launch->patience) {
        interrupted = true;
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
  if (!said.empty() && said.back() == '}') return said;
  if (why.empty() && !interrupted)
    why = text("its process has ended%s%s: the kernel has written where memory is that is not its own",
               WIFSIGNALED(status) ? " by " : "", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "");
  return "";
}

}  // namespace emulator::apart
