#include "cli/world.hpp"

#include "sim/lab/virtual_lab.hpp"

namespace cli {
namespace {

class virtual_world final : public world {
  public:
    virtual_world(const sim::topology::topology& what, const sim::lab::options& how) : lab_(what, how) {}

    sim::lab::lab& lab() override { return lab_; }
    mta::time_point now() override { return lab_.loop().now(); }
    void watch_traffic(sim::network::observer* by) override { lab_.net().set_observer(by); }
    void on_heartbeat(std::function<void()> tell) override { lab_.loop().on_heartbeat(std::move(tell)); }
    bool play(sim::scenario::player& what, std::optional<mta::duration> until) override {
        return lab_.play(what, until);
    }
    void keep_trail() override { lab_.loop().keep_trail(); }
    std::span<const sim::event_loop::mark> trail() const override { return lab_.loop().trail(); }

  private:
    mutable sim::lab::virtual_lab lab_;
};

}  // namespace

std::unique_ptr<world> make_virtual_world(const sim::topology::topology& what, const sim::lab::options& how) {
    return std::make_unique<virtual_world>(what, how);
}

}  // namespace cli
