// Journal: the old values of what a call changes, so that a call that fails changes nothing.
//
// Upstream runs every call in a storage transaction; this is ours. Every change of a State goes
// through edit, entry, erase or append; roll_back puts the old values back in reverse order. A
// place that was edited must not move until then. A journal that doesn't record costs nothing.
// Thread safety: none; one owner.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace muster::chain::runtime {

class Journal {
 public:
  enum class Mode { kRecord, kForget };
  explicit Journal(Mode mode = Mode::kRecord) : recording_(mode == Mode::kRecord) {}

  // `place`, to be changed.
  template <class T>
  T& edit(T& place) {
    if (recording_) undo_.push_back([&place, old = place] { place = old; });
    return place;
  }
  // The value of `key`, to be changed; made if there is none.
  template <class Key, class T>
  T& entry(std::map<Key, T>& map, const Key& key) {
    const auto [found, made] = map.try_emplace(key);
    if (!made) return edit(found->second);
    if (recording_) undo_.push_back([&map, key] { map.erase(key); });
    return found->second;
  }
  // The same without saving the value: its parts are edited one by one.
  template <class Key, class T>
  T& place(std::map<Key, T>& map, const Key& key) {
    const auto [found, made] = map.try_emplace(key);
    if (made && recording_) undo_.push_back([&map, key] { map.erase(key); });
    return found->second;
  }
  template <class Key, class T>
  void erase(std::map<Key, T>& map, const Key& key) {
    auto node = map.extract(key);
    if (node.empty() || !recording_) return;
    // Shared only because std::function must be copyable.
    auto kept = std::make_shared<typename std::map<Key, T>::node_type>(std::move(node));
    undo_.push_back([&map, kept] { map.insert(std::move(*kept)); });
  }
  template <class T>
  void append(std::vector<T>& list, T value) {
    list.push_back(std::move(value));
    if (recording_) undo_.push_back([&list] { list.pop_back(); });
  }

  void roll_back() {
    while (!undo_.empty()) {
      undo_.back()();
      undo_.pop_back();
    }
  }
  void commit() { undo_.clear(); }

 private:
  bool recording_;
  std::vector<std::function<void()>> undo_;
};

}  // namespace muster::chain::runtime
