// Counters: sectors of global memory per request, wavefronts of shared memory, lanes, bytes, by instruction.
//
// Each lane writes down where it went, under (instruction, how often it came there since the last barrier). What
// 32 lanes have under one such key is one request of the warp.

#include <algorithm>
#include <unordered_map>

#include "watch.h"

namespace emulator::counters {
namespace {

constexpr int SECTOR = 32, BANKS = 32;  // bytes; words of 4 bytes side by side
constexpr std::size_t WINDOW = 8192;  // requests of one instruction that wait for more lanes of their warp

struct Request {
  std::uintptr_t address[WARP];  // from the start of the array
  std::uint32_t lanes = 0;
};

struct Site {
  void* caller;
  int array;  // -1: shared memory
  Kind kind;
  int size;
  std::uint64_t requests = 0, lanes = 0, bytes = 0, units = 0, ideal = 0, ways = 0;
  std::vector<long long> sample;
};

struct Waiting {  // requests of one site
  std::vector<Request> requests;  // by occurrence, the first `counted` left out
  std::uint32_t counted = 0;
};

struct Lanes {  // of one warp, since the last barrier
  std::vector<Waiting> waiting;            // by site
  std::vector<std::uint32_t> times[WARP];      // by site
};

std::vector<Site> sites;
std::unordered_map<std::uint64_t, int> site_of;
std::unordered_map<Block*, std::vector<Lanes>> warps;
const Block* last = nullptr;  // as in monitor.cpp
std::vector<Lanes>* last_warps = nullptr;
struct {
  std::uint64_t key;
  int site = -1;
} recent[256];  // by the low bits of the caller: few instructions come again and again

int site_number(void* caller, int array, Kind kind, int size) {
  const std::uint64_t key = (std::uint64_t)caller * 2048 + (array + 1) * 64 + size % 16 * 4 + (int)kind;
  auto& known = recent[(std::uintptr_t)caller % 256];
  if (known.site >= 0 && known.key == key) return known.site;
  const auto [place, is_new] = site_of.try_emplace(key, (int)sites.size());
  if (is_new) sites.push_back({caller, array, kind, size});
  known.key = key, known.site = place->second;
  return place->second;
}

int distinct(std::vector<std::uintptr_t>& v) {
  std::sort(v.begin(), v.end());
  v.erase(std::unique(v.begin(), v.end()), v.end());
  return (int)v.size();
}

// Distinct sectors of one request, and how few could hold the bytes that it wants.
std::pair<int, int> sectors(const Request& q, int size) {
  std::vector<std::uintptr_t> touched, places;
  for (int lane = 0; lane < WARP; ++lane)
    if (q.lanes >> lane & 1) {
      places.push_back(q.address[lane]);
      for (std::uintptr_t s = q.address[lane] / SECTOR; s <= (q.address[lane] + size - 1) / SECTOR; ++s)
        touched.push_back(s);
    }
  distinct(places);
  std::size_t bytes = size;
  for (std::size_t i = 1; i < places.size(); ++i) bytes += std::min<std::size_t>(size, places[i] - places[i - 1]);
  return {distinct(touched), (bytes + SECTOR - 1) / SECTOR};
}

// Do the active lanes go in pairs, each with the lane whose number differs in this bit, to one address?
bool in_pairs(const Request& q, int bit) {
  for (int lane = 0; lane < WARP; ++lane)
    if ((q.lanes >> lane & 1) && (q.lanes >> (lane ^ bit) & 1) && q.address[lane] != q.address[lane ^ bit])
      return false;
  return true;
}

// Wavefronts of one request to shared memory, and the least possible. Words of one bank that differ follow one
// another. A wavefront returns 128 bytes at most: 4-byte accesses go by warps, 8-byte ones by half and 16-byte
// ones by quarter warps, and loads by twice as many lanes where neighbours (n and n^1, or n and n^2) want the
// same: so says NVIDIA of 7.x, and nothing else of later chips.
std::pair<int, int> wavefronts(const Request& q, int size, Kind kind, std::uint64_t& ways) {
  int lanes = size > 8 ? 8 : size > 4 ? 16 : 32;
  if (lanes < 32 && kind == Kind::load && (in_pairs(q, 1) || in_pairs(q, 2))) lanes *= 2;
  int cycles = 0, least = 0;
  for (int first = 0; first < WARP; first += lanes) {
    std::vector<std::uintptr_t> words;
    for (int lane = first; lane < first + lanes; ++lane)
      if (q.lanes >> lane & 1)
        for (std::uintptr_t w = q.address[lane] / 4; w <= (q.address[lane] + size - 1) / 4; ++w)
          words.push_back(w);
    if (!distinct(words)) continue;
    int in_bank[BANKS] = {};
    for (std::uintptr_t w : words) ++in_bank[w % BANKS];
    const int worst = *std::max_element(in_bank, in_bank + BANKS);
    cycles += worst, ++least;
    ways = std::max<std::uint64_t>(ways, worst);
  }
  return {cycles, least};
}

void count(Site& site, const Request& q) {
  const int lanes = __builtin_popcount(q.lanes);
  ++site.requests;
  site.lanes += lanes;
  site.bytes += std::uint64_t(lanes) * site.size;
  if (site.array < 0) {
    const auto [cycles, least] = wavefronts(q, site.size, site.kind, site.ways);
    site.units += cycles, site.ideal += least;
  } else {
    const auto [moved, least] = sectors(q, site.size);
    site.units += moved, site.ideal += least;
  }
  if (site.sample.empty())
    for (int lane = 0; lane < WARP; ++lane)
      site.sample.push_back(q.lanes >> lane & 1 ? (long long)q.address[lane] : -1);
}

void count_first(Waiting& waiting, int site, std::size_t n) {
  auto& requests = waiting.requests;
  for (std::size_t i = 0; i < n; ++i) count(sites[site], requests[i]);
  requests.erase(requests.begin(), requests.begin() + n);
  waiting.counted += n;
}

}  // namespace

void clear() {
  sites.clear(), site_of.clear(), warps.clear(), last = nullptr;
  for (auto& known : recent) known.site = -1;
}

void note(Thread* t, const char* base, int array, std::uintptr_t address, int size, Kind kind, void* caller) {
  if (last != t->block) last = t->block, last_warps = &warps[t->block];
  auto& all = *last_warps;
  if (all.empty()) all.resize((t->block->threads.size() + WARP - 1) / WARP);
  Lanes& lanes = all[t->index / WARP];
  const int site = site_number(caller, array, kind, size), lane = t->index % WARP;
  if ((int)lanes.waiting.size() <= site) lanes.waiting.resize(site + 1);
  auto& times = lanes.times[lane];
  if ((int)times.size() <= site) times.resize(site + 1);
  const std::uint32_t occurrence = times[site]++;
  Waiting& waiting = lanes.waiting[site];
  auto& requests = waiting.requests;
  if (occurrence < waiting.counted) {  // too late for the others
    Request alone;
    alone.lanes = 1u << lane;
    alone.address[lane] = address - (std::uintptr_t)base;
    return count(sites[site], alone);
  }
  if (requests.size() == WINDOW && occurrence - waiting.counted >= WINDOW) count_first(waiting, site, WINDOW / 2);
  const std::uint32_t place = occurrence - waiting.counted;
  if (requests.size() <= place) requests.resize(place + 1);
  requests[place].lanes |= 1u << lane;
  requests[place].address[lane] = address - (std::uintptr_t)base;
}

void end_interval(Block& block) {
  const auto found = warps.find(&block);
  if (found == warps.end()) return;
  for (Lanes& lanes : found->second) {
    for (std::size_t site = 0; site < lanes.waiting.size(); ++site) {
      Waiting& waiting = lanes.waiting[site];
      count_first(waiting, site, waiting.requests.size());
      waiting.counted = 0;
    }
    for (auto& times : lanes.times) std::fill(times.begin(), times.end(), 0);
  }
  if (!block.alive) warps.erase(found), last = nullptr;
}

void report(std::string& json) {
  static const char* ACCESS[] = {"load", "store", "atomic"};
  json += ", \"sites\": [";
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const Site& s = sites[i];
    json += text("%s{\"address\": %llu, \"array\": %d, \"access\": \"%s\", \"size\": %d, ", i ? ", " : "",
                 (unsigned long long)s.caller, s.array, ACCESS[(int)s.kind], s.size);
    json += text("\"requests\": %llu, \"lanes\": %llu, \"bytes\": %llu, ", (unsigned long long)s.requests,
                 (unsigned long long)s.lanes, (unsigned long long)s.bytes);
    json += text("\"units\": %llu, \"ideal\": %llu, \"ways\": %llu, \"sample\": [", (unsigned long long)s.units,
                 (unsigned long long)s.ideal, (unsigned long long)s.ways);
    for (std::size_t lane = 0; lane < s.sample.size(); ++lane)
      json += text("%s%lld", lane ? ", " : "", s.sample[lane]);
    json += "]}";
  }
  json += "]";
}

}  // namespace emulator::counters
