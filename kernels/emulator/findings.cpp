// What is wrong with a launch: who waits where, why a thread was taken back, and all of it as JSON.

#include <cstdarg>
#include <mutex>

#include "runtime.h"

namespace emulator {
namespace {

struct Finding {
  std::string kind, message;
  Place place;
  void* caller;
  long count;
};
std::vector<Finding> findings;
std::mutex findings_lock;

std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// Is it the kernel's own line, not that of a wrapper which a call of the kernel leads to?
bool own(Place place) {
  const std::string file = place.file ? place.file : "";
  return !file.empty() && (file.size() < 10 || file.substr(file.size() - 10) != "device.cuh");
}

}  // namespace

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

std::string describe(std::uint32_t block, unsigned thread) {
  const dim3 g = launch->grid, b = launch->block;
  return text("block (%u, %u, %u) thread (%u, %u, %u)", block % g.x, block / g.x % g.y, block / g.x / g.y,
              thread % b.x, thread / b.x % b.y, thread / b.x / b.y);
}

std::string line(Place place, void* caller) {
  return own(place) ? text("line %d", place.line) : text("@%llu@", (unsigned long long)caller);
}

void finding(const std::string& kind, const std::string& message, Place place, void* caller) {
  Busy busy;
  if (own(place)) caller = nullptr;
  std::lock_guard<std::mutex> guard(findings_lock);
  for (Finding& f : findings)
    if (f.kind == kind && f.place.number == place.number && f.place.line == place.line && f.caller == caller) {
      ++f.count;
      return;
    }
  if (findings.size() < 200) findings.push_back({kind, message, place, caller, 1});
}

void clear_findings() { findings.clear(); }

std::string findings_as_json() {
  std::string json;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Finding& f = findings[i];
    json += (i ? ", " : "") + ("{\"kind\": " + quoted(f.kind)) + ", \"message\": " + quoted(f.message) +
            ", \"file\": " + quoted(f.place.file ? f.place.file : "") +
            text(", \"line\": %d, \"address\": %llu, \"count\": %ld}", f.place.line,
                 (unsigned long long)f.caller, f.count);
  }
  return json;
}

void say_who_waits(const std::vector<Block*>& blocks, const std::string& why) {
  std::map<std::pair<State, int>, std::pair<int, Thread*>> groups;  // (state, place) -> how many, one of them
  int ended = 0, not_begun = 0;
  for (Block* block : blocks)
    for (std::size_t i = 0; i < block->threads.size(); ++i) {
      Thread* t = block->threads[i];
      ended += block->ended[i], not_begun += !t && !block->ended[i];
      if (!t) continue;
      auto& group = groups[{t->state, t->state == State::ready ? 0 : t->place.number}];
      if (!group.first++ || t == worker->leaver) group.second = t;
    }
  static const char* WHAT[] = {"run, one of them", "wait at the barrier", "wait at the barrier of the grid",
                               "wait for the warp"};
  std::string message;
  for (auto& [key, group] : groups)
    message += text("%s%d %s at %s (%s)", message.empty() ? "" : "; ", group.first, WHAT[(int)key.first],
                    line(group.second->place, group.second->caller).c_str(), describe(group.second).c_str());
  if (ended) message += text("; %d have ended", ended);
  if (not_begun) message += text("; %d have not begun", not_begun);
  if (groups.empty()) return;
  const Thread* first = groups.begin()->second.second;  // one that runs, where one does
  finding("deadlock", why + message, first->place, first->caller);
}

// A thread has touched what it may not: where there is no memory, or stored to what is const.
void say_what_is_not_its(const Thread* t, const char* address) {
  std::string where = text("address %#llx, where no memory is", (unsigned long long)address);
  for (int i = 0; i < launch->count; ++i) {
    const Array& a = launch->arrays[i];
    const std::uintptr_t before = a.data - address, past = address - a.data - a.bytes;
    if (!a.writable && address >= a.data && address < a.data + a.bytes) {
      finding("constant", describe(t) + text(" stores to #%d#, a const argument", i), {}, t->caller);
      return;
    }
    if (before <= FENCE || past < FENCE)
      where = text("memory %llu bytes %s of #%d#", (unsigned long long)(past < FENCE ? past : before),
                   past < FENCE ? "past the end" : "before the start", i);
  }
  finding("out of bounds", describe(t) + " touches " + where, {}, t->caller);
}

// A thread was taken back: say why.
void say_why_left(const std::vector<Block*>& blocks) {
  const Thread* t = worker->leaver;
  switch (worker->left) {
    case Left::endless:
      say_who_waits(blocks, text("nobody has come further in %g s of a processor: ", launch->limit));
      break;
    case Left::barren:
      say_who_waits(blocks, text("they meet, but no thread has ended in %g s of a processor: ", BARREN * launch->limit));
      break;
    case Left::overflow:
      finding("stack overflow",
              describe(t) + text(": its calls and local variables take more than %zu KiB", STACK >> 10), {}, t->caller);
      break;
    case Left::fault:
      say_what_is_not_its(t, (char*)worker->address);
      break;
    case Left::unaligned:
      finding("misaligned", describe(t) + ": the address does not divide by the size, or cannot be one", {}, t->caller);
      break;
    case Left::trap:
      finding("trap", describe(t) + " has come to __trap(), or to the end of a function that must return", {},
              t->caller);
      break;
    case Left::division:
      finding("overflow", describe(t) + ": the quotient does not fit its integer", {}, t->caller);
      break;
    case Left::no:
    case Left::interrupted: break;
  }
}

}  // namespace emulator
