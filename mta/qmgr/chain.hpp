// mta/qmgr/chain.hpp - a list through its elements: no allocation, and an element leaves from the middle at no cost.
//
// The elements belong to somebody else. An element that is destroyed must have left its chains, or the chains must
// never be used again.
#pragma once

namespace mta::qmgr {

template <class T>
struct chain_link {
    T* previous = nullptr;
    T* next = nullptr;
};

template <class T, chain_link<T> T::* Link>
class chain {
  public:
    bool empty() const { return first_ == nullptr; }
    T* first() const { return first_; }
    T* last() const { return last_; }
    static T* after(const T& element) { return (element.*Link).next; }
    static T* before(const T& element) { return (element.*Link).previous; }

    void push_back(T& element) { insert_before(nullptr, element); }
    void push_front(T& element) { insert_before(first_, element); }
    // Null: at the end.
    void insert_before(T* place, T& element) {
        T* const earlier = place ? before(*place) : last_;
        (element.*Link).previous = earlier;
        (element.*Link).next = place;
        (earlier ? (earlier->*Link).next : first_) = &element;
        (place ? (place->*Link).previous : last_) = &element;
    }
    void remove(T& element) {
        T* const earlier = before(element);
        T* const later = after(element);
        (earlier ? (earlier->*Link).next : first_) = later;
        (later ? (later->*Link).previous : last_) = earlier;
        (element.*Link) = {};
    }

  private:
    T* first_ = nullptr;
    T* last_ = nullptr;
};

}  // namespace mta::qmgr
