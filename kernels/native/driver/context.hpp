// context.hpp: memory, streams and events of one context.
//
// Nothing happens until something waits for it: then exactly that happens which has to come before. So a missing wait shows as
// data that are not there yet. With order=early copies happen as soon as their stream allows, so that memory that is
// used again too early shows as data that are there already.
#pragma once

#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>

#include "settings.hpp"

namespace standin {

using Address = unsigned long long;

enum Code { success = 0, invalidValue = 1, outOfMemory = 2, illegalAddress = 700 };

struct Stream;

struct Event {
  Stream* stream = nullptr;   // where it was last recorded
  long position = 0;          // behind how many of the stream's operations
};

struct Operation {
  std::function<int()> work;
  bool copy = false;
  Stream* after = nullptr;    // waits until so many operations of that stream are done
  long position = 0;
};

struct Stream {
  std::deque<Operation> open;
  long done = 0;

  long end() const { return done + long(open.size()); }

  // Everything up to `position`, and what that waits for.
  int run(long position) {
    while (done < position) {
      Operation next = std::move(open.front());
      if (next.after)
        if (const int code = next.after->run(next.position)) return code;
      open.pop_front();
      ++done;
      if (next.work)
        if (const int code = next.work()) return code;
    }
    return success;
  }

  // Copies at the head whose time may have come.
  int runEarly() {
    while (!open.empty() && (!open.front().work || open.front().copy)) {
      const Operation& head = open.front();
      if (head.after && head.after->done < head.position) return success;
      if (const int code = run(done + 1)) return code;
    }
    return success;
  }
};

// Device memory between two red zones, filled with a pattern.
class Memory {
 public:
  static constexpr std::size_t zone = 256;
  static constexpr unsigned char red = 0xA5, fresh = 0xCD;

  Address take(std::size_t bytes) {
    auto* block = static_cast<unsigned char*>(std::aligned_alloc(256, (bytes + 2 * zone + 255) & ~std::size_t(255)));
    if (!block) return 0;
    std::memset(block, red, zone);
    std::memset(block + zone, fresh, bytes);
    std::memset(block + zone + bytes, red, zone);
    const Address at = Address(block) + zone;
    blocks_[at] = bytes;
    used_ += bytes;
    return at;
  }

  bool give(Address at) {
    const auto block = blocks_.find(at);
    if (block == blocks_.end()) return false;
    used_ -= block->second;
    std::free(reinterpret_cast<void*>(at - zone));
    blocks_.erase(block);
    return true;
  }

  bool holds(Address at, std::size_t bytes) const {
    auto block = blocks_.upper_bound(at);
    if (block == blocks_.begin()) return false;
    --block;
    return at + bytes <= block->first + block->second;
  }

  // Whether nobody has written beside the blocks.
  bool intact() const {
    for (const auto& [at, bytes] : blocks_) {
      const auto* block = reinterpret_cast<const unsigned char*>(at);
      for (std::size_t i = 0; i < zone; ++i)
        if (block[-1 - long(i)] != red || block[bytes + i] != red) return false;
    }
    return true;
  }

  void clear() {
    while (!blocks_.empty()) give(blocks_.begin()->first);
  }

  std::size_t used() const { return used_; }
  std::size_t count() const { return blocks_.size(); }

 private:
  std::map<Address, std::size_t> blocks_;
  std::size_t used_ = 0;
};

struct Context {
  int device = 0;
  int sticky = success;
  std::recursive_mutex lock;
  Memory memory;
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<std::unique_ptr<Event>> events;
  std::vector<std::unique_ptr<std::string>> modules;
  std::map<const void*, int> dynamicShared;

  int post(Stream* stream, Operation operation) {
    stream->open.push_back(std::move(operation));
    if (!settings().early) return success;
    for (const auto& one : streams)
      if (const int code = one->runEarly()) return failed(code);
    return success;
  }

  int wait(Stream* stream, long position) { return failed(stream->run(position)); }

  int waitForAll() {
    for (const auto& stream : streams)
      if (const int code = wait(stream.get(), stream->end())) return code;
    return success;
  }

  int failed(int code) {
    if (isSticky(code)) sticky = code;
    return code;
  }
};

// Host memory that is locked in place, of the whole process.
class Pinned {
 public:
  // `allocated`: the memory is the driver's own, which frees it.
  bool add(Address at, std::size_t bytes, Context* owner, bool allocated) {
    std::lock_guard hold(lock_);
    auto next = ranges_.lower_bound(at);
    if (next != ranges_.end() && next->first < at + bytes) return false;
    if (next != ranges_.begin() && std::prev(next)->first + std::prev(next)->second.bytes > at) return false;
    ranges_[at] = {bytes, owner, allocated};
    return true;
  }

  bool remove(Address at) {
    std::lock_guard hold(lock_);
    const auto range = ranges_.find(at);
    if (range == ranges_.end()) return false;
    drop(range);
    return true;
  }

  bool holds(Address at, std::size_t bytes) {
    std::lock_guard hold(lock_);
    auto range = ranges_.upper_bound(at);
    if (range == ranges_.begin()) return false;
    --range;
    return at + bytes <= range->first + range->second.bytes;
  }

  std::size_t count() {
    std::lock_guard hold(lock_);
    return ranges_.size();
  }

  // A context that goes takes along what it has locked.
  void forget(Context* owner) {
    std::lock_guard hold(lock_);
    for (auto range = ranges_.begin(); range != ranges_.end();)
      range = range->second.owner == owner ? drop(range) : std::next(range);
  }

 private:
  struct Range {
    std::size_t bytes;
    Context* owner;
    bool allocated;
  };
  using Ranges = std::map<Address, Range>;

  Ranges::iterator drop(Ranges::iterator range) {
    if (range->second.allocated) std::free(reinterpret_cast<void*>(range->first));
    return ranges_.erase(range);
  }

  std::mutex lock_;
  Ranges ranges_;
};

}  // namespace standin
