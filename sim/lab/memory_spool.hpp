// sim/lab/memory_spool.hpp - queue files that outlive a mail system but not the lab.
#pragma once
#include <algorithm>
#include <string>
#include <unordered_map>

#include "mta/host.hpp"

namespace sim::lab {

class memory_spool final : public mta::spool {
  public:
    explicit memory_spool(std::uint64_t first_inode) : next_inode_(first_inode) {}
    std::uint64_t new_inode() override { return next_inode_++; }
    void save(const mta::queue::message& file) override { files_[file->id] = file; }
    void moved(const mta::queue::message&) override {}
    void remove(std::string_view id) override {
        if (const auto found = files_.find(id); found != files_.end()) files_.erase(found);
    }
    std::vector<mta::queue::message> all() const override {
        std::vector<mta::queue::message> result;
        result.reserve(files_.size());
        for (const auto& [id, file] : files_) result.push_back(file);
        std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
        return result;
    }
    std::uint64_t free_bytes() const override { return std::uint64_t{1} << 36; }

  private:
    std::uint64_t next_inode_;
    struct hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    std::unordered_map<std::string, mta::queue::message, hash, std::equal_to<>> files_;  // by id; all() sorts
};

}  // namespace sim::lab
