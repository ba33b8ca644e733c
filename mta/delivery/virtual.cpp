// virtual(8): mailboxes of domains whose users are no users of the host.
//
// The mailbox, and whose it is, come from tables that are asked for the whole address. What is missing in them defers
// mail, except that an address without a mailbox has no user: it bounces. Delivered-To headers stop no loops here.
#include <fmt/format.h>

#include <charconv>

#include "mta/address/trivial_rewrite.hpp"
#include "mta/delivery/agents.hpp"
#include "mta/delivery/mailbox.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/table/lookup_order.hpp"
#include "mta/table/registry.hpp"
#include "mta/text/strings.hpp"

namespace mta::delivery {
namespace {

struct virtual_settings {
    std::string base;
    table::maps mailboxes, uids, gids;
    std::int64_t minimum_uid, mailbox_limit;
    bool original_to;
};

table::maps open_maps(master::mail_system& mail, const config::parameters& p, const char* name,
                      const maillog::process& by) {
    table::open_options options;
    options.allow_substitution = false;
    options.utf8 = p.flag("smtputf8_enable");
    std::vector<table::diagnostic> complaints;
    auto maps =
        table::maps::open(name, p.text(name), mail.shared().tables, mail.table_environment(p), options, complaints);
    for (const table::diagnostic& each : complaints) mail.log(by, each);
    return maps;
}

virtual_settings read_settings(master::mail_system& mail, const config::parameters& p, const maillog::process& by) {
    virtual_settings s{p.text("virtual_mailbox_base"),
                       open_maps(mail, p, "virtual_mailbox_maps", by),
                       open_maps(mail, p, "virtual_uid_maps", by),
                       open_maps(mail, p, "virtual_gid_maps", by),
                       p.number("virtual_minimum_uid"),
                       p.number("virtual_mailbox_limit"),
                       p.flag("enable_original_recipient")};
    const std::int64_t largest = p.number("message_size_limit");
    if (s.mailbox_limit != 0 && (largest > s.mailbox_limit || largest == 0)) {
        throw config::fatal(p.where("virtual_mailbox_limit"),
                            "main.cf configuration error: virtual_mailbox_limit is smaller than message_size_limit");
    }
    return s;
}

// strtol(3) for what a table holds: leading digits, or 0.
std::int64_t number_in(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

class virtual_delivery {
  public:
    virtual_delivery(master::mail_system& mail, const virtual_settings& settings, report& account)
        : mail_(mail), settings_(settings), account_(account) {}

    void deliver(const target& to) {
        const request& work = account_.about();
        const std::string user = text::lowered(to.address);
        const auto box = find(settings_.mailboxes, user);
        if (box.failed()) {
            mail_.warn(account_.agent(),
                       fmt::format("table virtual_mailbox_maps: lookup {}: {}", user, box.result.value));
            return misconfigured(to);
        }
        if (!box.found())
            return account_.bounced(to, work.transport, {"5.1.1", fmt::format("unknown user: \"{}\"", user)});
        mailbox where;
        where.path = settings_.base + "/" + box.result.value;
        where.size_limit = static_cast<std::size_t>(settings_.mailbox_limit);
        if (!read_id(settings_.uids, "uid", user, settings_.minimum_uid, where.owner.uid) ||
            !read_id(settings_.gids, "gid", user, 1, where.owner.gid)) {
            return misconfigured(to);
        }
        put(to, where);
    }

  private:
    table::match find(const table::maps& maps, const std::string& user) {
        table::match found = table::find_address(maps, user, mail_.rewrite().address_rules());
        for (const std::string& each : found.result.warnings) mail_.warn(account_.agent(), each);
        return found;
    }

    bool read_id(const table::maps& maps, const char* what, const std::string& user, std::int64_t least, unsigned& id) {
        const auto found = find(maps, user);
        if (!found.found()) {
            mail_.warn(account_.agent(), found.failed()
                                             ? fmt::format("recipient {}: {} lookup error", user, maps.title())
                                             : fmt::format("recipient {}: not found in {}", user, maps.title()));
            return false;
        }
        const std::int64_t number = number_in(found.result.value);
        if (number < least) {
            mail_.warn(account_.agent(),
                       fmt::format("recipient {}: bad {} {} in {}", user, what, found.result.value, maps.title()));
            return false;
        }
        id = static_cast<unsigned>(number);
        return true;
    }

    void misconfigured(const target& to) {
        account_.deferred(to, account_.about().transport, {"4.3.5", "mail system configuration error"});
    }

    void put(const target& to, const mailbox& where) {
        const request& work = account_.about();
        if (account_.is_probe()) {
            return account_.sent(to, work.transport,
                                 {"2.0.0", where.maildir() ? "delivers to maildir" : "delivers to mailbox"});
        }
        copy_addresses about;
        about.sender = work.sender();
        if (settings_.original_to) about.original_to = work.recipient(to).original;
        about.delivered_to = to.address;
        queue::delivery_status status = store(mail_.host(), where, *work.file->content, copy_mbox, about, "4.2.0");
        if (status.dsn.empty()) {
            status = {"2.0.0", where.maildir() ? "delivered to maildir" : "delivered to mailbox"};
        } else {
            status.text = where.maildir() ? "maildir delivery failed: " + status.text
                                          : fmt::format("delivery failed to mailbox {}: {}", where.path, status.text);
        }
        account_.settle(to, work.transport, status);
    }

    master::mail_system& mail_;
    const virtual_settings& settings_;
    report& account_;
};

}  // namespace

void deliver_virtual(master::mail_system& mail, master::daemon& service, report& account) {
    const virtual_settings settings = read_settings(mail, *service.parameters, account.agent());
    virtual_delivery delivery(mail, settings, account);
    for (const target& each : account.about().targets) delivery.deliver(each);
}

}  // namespace mta::delivery
