// Meetings of a warp: shuffles, votes, __syncwarp, and matrix products on tensor cores.
//
// Lanes park at the call with what they give; when all that the mask names have come, each is handed what it
// receives, and goes on.

#include <algorithm>

#include "runtime.h"

namespace emulator {
namespace {

float from_bf16(unsigned bits) { return emulator::bits<float>(bits << 16); }
float from_tf32(unsigned bits) { return emulator::bits<float>(bits & 0xffffe000u); }

// d += a b from the fragments of 32 lanes, in the layouts of the PTX manual.
void multiply(Thread** lanes, Warp kind) {
  const int depth = kind == Warp::tf32 ? 8 : 16;
  float a[16][16], b[16][8];
  for (int lane = 0; lane < WARP; ++lane) {
    const int g = lane / 4, t = lane % 4;
    for (int i = 0; i < 4; ++i) {
      const int row = g + 8 * (i % 2), k = i / 2;
      if (kind == Warp::tf32) {
        a[row][t + 4 * k] = from_tf32(lanes[lane]->a[i]);
        if (i < 2) b[t + 4 * i][g] = from_tf32(lanes[lane]->b[i]);
      } else {
        const unsigned pair = lanes[lane]->a[i];
        a[row][2 * t + 8 * k] = from_bf16(pair & 0xffffu);
        a[row][2 * t + 8 * k + 1] = from_bf16(pair >> 16);
        if (i < 2) {
          const unsigned column = lanes[lane]->b[i];
          b[2 * t + 8 * i][g] = from_bf16(column & 0xffffu);
          b[2 * t + 8 * i + 1][g] = from_bf16(column >> 16);
        }
      }
    }
  }
  for (int lane = 0; lane < WARP; ++lane)
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
      float sum = lanes[lane]->d[i];
      for (int k = 0; k < depth; ++k) sum += a[row][k] * b[k][column];
      lanes[lane]->d[i] = sum;
    }
}

// The lane whose value this lane receives; itself where the distance leads out of its segment.
int source_lane(const Thread* t, int lane) {
  const int segment = lane / t->width * t->width, last = segment + t->width - 1;
  int from = lane;
  if (t->warp == Warp::shuffle) return segment + (t->parameter & (t->width - 1));
  if (t->warp == Warp::up) from = lane - t->parameter < segment ? lane : lane - t->parameter;
  if (t->warp == Warp::down) from = lane + t->parameter > last ? lane : lane + t->parameter;
  if (t->warp == Warp::exchange) from = (lane ^ t->parameter) > last ? lane : lane ^ t->parameter;
  return from;
}

// What a lane receives that names a lane without a value. A GPU gives anything; this is not a number, and no
// integer that is near to one that is expected.
std::uint64_t nothing(const Thread* t, int from, bool ended) {
  const bool named = t->mask >> from & 1;
  if (named)
    finding("warp", describe(t) + text(": takes the value of lane %d, named in its mask %#x, which %s", from, t->mask,
                                       ended ? "has ended" : "the block does not have"),
            t->place, t->caller);
  else if (WATCHED)  // plain mode cannot tell whether the value is used, and lets it pass
    finding("warp", describe(t) + text(": takes the value of lane %d, which takes no part", from), t->place,
            t->caller);
  return std::uint64_t(UNWRITTEN) << 32 | UNWRITTEN;
}

}  // namespace

// Release one meeting of the warp, if all that it names have come, save those that have ended. They may come by
// different ways: to the same kind of call with the same mask. A matrix product alone is one call for all.
bool resolve_warp(Block& block, int warp) {
  const int first = warp * WARP, size = std::min<int>(WARP, block.threads.size() - first);
  for (int leader = 0; leader < size; ++leader) {
    Thread* l = block.threads[first + leader];
    if (!l || l->state != State::warp) continue;
    const bool product = l->warp == Warp::tf32 || l->warp == Warp::bf16;
    Thread* lanes[WARP] = {};
    bool all_here = true;
    for (int lane = 0; lane < size; ++lane) {
      if (!(l->mask >> lane & 1) || block.ended[first + lane]) continue;
      Thread* t = block.threads[first + lane];
      if (!t || t->state != State::warp || t->mask != l->mask || t->warp != l->warp ||
          (product && t->place.number != l->place.number))
        all_here = false;
      else
        lanes[lane] = t;
    }
    if (!all_here) continue;
    if (!(l->mask >> leader & 1)) {
      finding("warp", describe(l) + text(": its mask %#x does not name itself", l->mask), l->place, l->caller);
      abandoned = true;
      return false;
    }
    if (product) {
      if (std::count(lanes, lanes + WARP, nullptr)) {
        finding("warp", describe(l) + ": a matrix product needs all 32 lanes of the warp", l->place, l->caller);
        abandoned = true;
        return false;
      }
      multiply(lanes, l->warp);
    }
    std::uint64_t votes = 0, received[WARP] = {};
    for (int lane = 0; lane < WARP; ++lane)
      if (lanes[lane] && lanes[lane]->bits) votes |= std::uint64_t(1) << lane;
    for (int lane = 0; lane < WARP; ++lane) {
      Thread* t = lanes[lane];
      if (!t) continue;
      received[lane] = votes;
      if (t->warp <= Warp::exchange) {
        const int from = source_lane(t, lane);
        received[lane] = lanes[from] ? lanes[from]->bits : nothing(t, from, from < size && block.ended[first + from]);
      }
    }
    if (l->warp == Warp::sync) monitor::warp_met(lanes);
    for (int lane = 0; lane < WARP; ++lane)
      if (lanes[lane]) lanes[lane]->bits = received[lane], lanes[lane]->state = State::ready;
    return true;
  }
  return false;
}

}  // namespace emulator
