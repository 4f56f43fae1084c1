// Counters: sectors of global memory per request, wavefronts of shared memory, lanes, bytes, by instruction.
//
// Each lane writes down where it went, under (instruction, how often it came there since the last barrier). What
// 32 lanes have under one such key is one request of the warp.

#include <algorithm>
#include <unordered_map>

#include "counters.h"
#include "runtime.h"

namespace emulator::counters {
namespace {

constexpr int SECTOR = 32, BANKS = 32;  // bytes; words of 4 bytes side by side

struct Request {
  std::uintptr_t address[WARP];  // from the start of the array
  std::uint32_t lanes = 0;
};

struct Site {
  void* caller;
  int array;  // -1: shared memory
  bool store;
  int size;
  std::uint64_t requests = 0, lanes = 0, bytes = 0, units = 0, ideal = 0, ways = 0;
  std::vector<long long> sample;
};

struct Lanes {  // of one warp, since the last barrier
  std::vector<std::vector<Request>> requests;  // by site, by occurrence
  std::vector<std::uint32_t> times[WARP];      // by site
};

std::vector<Site> sites;
std::unordered_map<std::uint64_t, int> site_of;
std::unordered_map<Block*, std::vector<Lanes>> warps;

int site_number(void* caller, int array, bool store, int size) {
  const std::uint64_t key = (std::uint64_t)caller * 2048 + (array + 1) * 64 + size * 2 % 64 + store;
  const auto [place, is_new] = site_of.try_emplace(key, (int)sites.size());
  if (is_new) sites.push_back({caller, array, store, size});
  return place->second;
}

// Distinct sectors of one request, and how few could hold the bytes that it wants.
std::pair<int, int> sectors(const Request& q, int size) {
  std::vector<std::uintptr_t> all, places;
  for (int lane = 0; lane < WARP; ++lane)
    if (q.lanes >> lane & 1) {
      places.push_back(q.address[lane]);
      for (std::uintptr_t s = q.address[lane] / SECTOR; s <= (q.address[lane] + size - 1) / SECTOR; ++s)
        all.push_back(s);
    }
  const auto distinct = [](std::vector<std::uintptr_t>& v) {
    std::sort(v.begin(), v.end());
    return int(std::unique(v.begin(), v.end()) - v.begin());
  };
  return {distinct(all), (distinct(places) * size + SECTOR - 1) / SECTOR};
}

// Wavefronts of one request to shared memory, and the least possible: 4-byte accesses go by warps, 8-byte ones
// by half and 16-byte ones by quarter warps; words of one bank that differ follow one another.
std::pair<int, int> wavefronts(const Request& q, int size, std::uint64_t& ways) {
  const int lanes = size > 8 ? 8 : size > 4 ? 16 : 32;
  int cycles = 0, least = 0;
  for (int first = 0; first < WARP; first += lanes) {
    std::vector<std::uintptr_t> words;
    for (int lane = first; lane < first + lanes; ++lane)
      if (q.lanes >> lane & 1)
        for (std::uintptr_t w = q.address[lane] / 4; w <= (q.address[lane] + size - 1) / 4; ++w)
          words.push_back(w);
    if (words.empty()) continue;
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
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
    const auto [cycles, least] = wavefronts(q, site.size, site.ways);
    site.units += cycles, site.ideal += least;
  } else {
    const auto [moved, least] = sectors(q, site.size);
    site.units += moved, site.ideal += least;
  }
  if (site.sample.empty())
    for (int lane = 0; lane < WARP; ++lane)
      site.sample.push_back(q.lanes >> lane & 1 ? (long long)q.address[lane] : -1);
}

}  // namespace

void clear() { sites.clear(), site_of.clear(), warps.clear(); }

void note(const char* base, int array, std::uintptr_t address, int size, bool store, void* caller) {
  Thread* t = self;
  auto& all = warps[t->block];
  if (all.empty()) all.resize((t->block->threads.size() + WARP - 1) / WARP);
  Lanes& lanes = all[t->index / WARP];
  const int site = site_number(caller, array, store, size), lane = t->index % WARP;
  if ((int)lanes.requests.size() <= site) lanes.requests.resize(site + 1);
  auto& times = lanes.times[lane];
  if ((int)times.size() <= site) times.resize(site + 1);
  const std::uint32_t occurrence = times[site]++;
  auto& requests = lanes.requests[site];
  if (requests.size() <= occurrence) requests.resize(occurrence + 1);
  requests[occurrence].lanes |= 1u << lane;
  requests[occurrence].address[lane] = address - (std::uintptr_t)base;
}

void end_interval(Block& block) {
  const auto found = warps.find(&block);
  if (found == warps.end()) return;
  for (Lanes& lanes : found->second) {
    for (std::size_t site = 0; site < lanes.requests.size(); ++site) {
      for (const Request& q : lanes.requests[site]) count(sites[site], q);
      lanes.requests[site].clear();
    }
    for (auto& times : lanes.times) std::fill(times.begin(), times.end(), 0);
  }
  if (!block.alive) warps.erase(found);
}

void report(std::string& json) {
  json += ", \"sites\": [";
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const Site& s = sites[i];
    json += text("%s{\"address\": %llu, \"array\": %d, \"store\": %s, \"size\": %d, ", i ? ", " : "",
                 (unsigned long long)s.caller, s.array, s.store ? "true" : "false", s.size);
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
