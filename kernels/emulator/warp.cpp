// Meetings of a warp: shuffles, votes, __syncwarp, and matrix products on tensor cores.
//
// Lanes park at the call with what they give; when all that the mask names have come, each is handed what it
// receives, and goes on.

#include <algorithm>

#include "runtime.h"

namespace emulator {
namespace {

float from_bf16(unsigned bits) { return emulator::bits<float>(bits << 16); }
float from_tf32(float x) { return emulator::bits<float>(emulator::bits<unsigned>(x) & 0xffffe000u); }

// d += a b from the fragments of 32 lanes, in the layouts of the PTX manual.
void multiply(Thread** lanes, Warp kind) {
  const int depth = kind == Warp::tf32 ? 8 : 16;
  float a[16][16], b[16][8];
  for (int lane = 0; lane < WARP; ++lane) {
    const int g = lane / 4, t = lane % 4;
    for (int i = 0; i < 4; ++i) {
      const int row = g + 8 * (i % 2), k = i / 2;
      if (kind == Warp::tf32) {
        a[row][t + 4 * k] = from_tf32(((const float*)lanes[lane]->a)[i]);
        if (i < 2) b[t + 4 * i][g] = from_tf32(((const float*)lanes[lane]->b)[i]);
      } else {
        const unsigned pair = ((const unsigned*)lanes[lane]->a)[i];
        a[row][2 * t + 8 * k] = from_bf16(pair & 0xffffu);
        a[row][2 * t + 8 * k + 1] = from_bf16(pair >> 16);
        if (i < 2) {
          const unsigned column = ((const unsigned*)lanes[lane]->b)[i];
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

}  // namespace

// Release one meeting of the warp, if all that it names have come.
bool resolve_warp(Block& block, int warp) {
  const int first = warp * WARP, size = std::min<int>(WARP, block.threads.size() - first);
  for (int leader = 0; leader < size; ++leader) {
    Thread* l = block.threads[first + leader];
    if (!l || l->state != State::warp) continue;
    Thread* lanes[WARP] = {};
    bool all_here = true;
    std::string missing;
    for (int lane = 0; lane < size; ++lane) {
      if (!(l->mask >> lane & 1)) continue;
      Thread* t = block.threads[first + lane];
      if (block.ended[first + lane]) {
        missing = text("lane %d, named in its mask %#x, has ended", lane, l->mask);
        continue;
      }
      if (!t || t->state != State::warp || t->mask != l->mask || t->warp != l->warp ||
          t->place.number != l->place.number)
        all_here = false;
      else
        lanes[lane] = t;
    }
    if (!(l->mask >> leader & 1)) missing = text("its mask %#x does not name itself", l->mask);
    if (!all_here) continue;
    if (!missing.empty()) finding("warp", describe(l) + ": " + missing, l->place, l->caller);
    if (l->warp == Warp::tf32 || l->warp == Warp::bf16) {
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
        if (!lanes[from])
          finding("warp", describe(t) + text(": takes the value of lane %d, which takes no part", from),
                  t->place, t->caller);
        received[lane] = lanes[from] ? lanes[from]->bits : 0xdeadbeefdeadbeefull;
      }
    }
    if (l->warp == Warp::sync) {
      ++block.warp_epochs[warp];
      monitor::warp_met(block, warp);
    }
    for (int lane = 0; lane < WARP; ++lane)
      if (lanes[lane]) lanes[lane]->bits = received[lane], lanes[lane]->state = State::ready;
    return true;
  }
  return false;
}

}  // namespace emulator
