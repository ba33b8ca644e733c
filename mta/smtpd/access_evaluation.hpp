// mta/smtpd/access_evaluation.hpp - one command's way through the restriction lists (postconf(5), SMTPD_ACCESS_README).
//
// Lives for one access::check. The restrictions are member functions by topic: access_evaluation.cpp walks lists and
// says no, access_restrictions.cpp has the table of all names, access_maps.cpp looks up tables, access_actions.cpp does
// what they say, access_dns.cpp and access_dnsbl.cpp ask the DNS, access_destination.cpp knows where mail may go,
// access_unlisted.cpp who is known, access_login.cpp who is logged in, access_policy.cpp asks policy services. Each
// yields a verdict; none throws.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/address/resolve.hpp"
#include "mta/dns.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtpd/access.hpp"
#include "mta/smtpd/access_reply.hpp"
#include "mta/smtpd/access_settings.hpp"

namespace mta::smtpd {

enum class verdict : std::uint8_t { dunno, permit, reject };

// What a restriction in a list is about when it does not say so itself.
struct subject {
    std::string name;  // "<NAME>: Recipient address rejected"
    reply_class about;
    std::string_view default_check;  // for a bare "type:table"; "" where none
};

// What one question to a policy server came to.
struct policy_attempt {
    bool answered = false;
    std::string action, why = "Connection refused";  // why: where there is no answer
};

// Whose name a restriction looks at: check_SUBJECT_access, reject_rhsbl_SUBJECT.
enum class party : std::uint8_t { none, client, unverified_client, helo, sender, recipient };

class evaluation;
struct restriction;
struct call {
    const restriction& what;
    std::string_view argument;
    const subject& about;
};
enum class argument_kind : std::uint8_t { none, table, domain, service, number };
struct restriction {
    std::string_view name;
    argument_kind argument;
    verdict (evaluation::*at_once)(const call&);  // one of these two
    task<verdict> (evaluation::*waiting)(const call&);
    party whose = party::none;
    dns::record_type type = dns::record_type::a;  // check_*_{mx,ns,a}_access
};
// By name, in any case; null for a name that is none.
const restriction* find_restriction(std::string_view name);

// access::resolve.
std::shared_ptr<const address::resolved> ask_rewrite(master::mail_system& mail, access_settings& settings,
                                                     std::string_view sender, std::string_view recipient,
                                                     const maillog::process& by);

class evaluation {
  public:
    evaluation(master::mail_system& mail, access_settings& settings, const access_facts& facts, access_memory& memory,
               const maillog::process& by, std::string_view stage_name);

    // The stages as smtpd has them.
    task<verdict> client();
    task<verdict> helo();
    task<verdict> sender();
    task<verdict> recipient();
    task<verdict> etrn();
    task<verdict> whole_message(list_name which, std::string name, reply_class about);
    const std::string& reply() const { return reply_; }
    refusal_cause cause() const { return cause_; }
    bool process_dies() const { return process_dies_; }
    bool hangs_up() const { return hangs_up_; }

    // Restrictions.
    verdict permit(const call& c);
    verdict reject(const call& c);
    verdict defer(const call& c);
    verdict defer_if_permit(const call& c);
    verdict defer_if_reject(const call& c);
    verdict reject_unauth_pipelining(const call& c);
    verdict reject_plaintext_session(const call& c);
    verdict reject_unknown_client_hostname(const call& c);
    verdict reject_unknown_reverse_client_hostname(const call& c);
    verdict permit_inet_interfaces(const call& c);
    verdict permit_mynetworks(const call& c);
    verdict permit_sasl_authenticated(const call& c);
    verdict permit_tls_clientcerts(const call& c);
    verdict permit_tls_all_clientcerts(const call& c);
    verdict permit_naked_ip_address(const call& c);
    verdict reject_invalid_helo_hostname(const call& c);
    verdict reject_non_fqdn_helo_hostname(const call& c);
    verdict reject_non_fqdn_address(const call& c);
    verdict reject_multi_recipient_bounce(const call& c);
    verdict reject_authenticated_sender_login_mismatch(const call& c);
    verdict reject_known_sender_login_mismatch(const call& c);
    verdict reject_unauthenticated_sender_login_mismatch(const call& c);
    verdict permit_auth_destination(const call& c);
    verdict reject_unauth_destination(const call& c);
    verdict defer_unauth_destination(const call& c);
    verdict check_relay_domains(const call& c);
    verdict reject_unlisted_sender(const call& c);
    verdict reject_unlisted_recipient(const call& c);
    task<verdict> reject_unverified_address(const call& c);
    task<verdict> sleep_restriction(const call& c);
    task<verdict> check_policy_service(const call& c);
    task<verdict> check_client_access(const call& c);
    task<verdict> check_helo_access(const call& c);
    task<verdict> check_address_access(const call& c);
    task<verdict> check_etrn_access(const call& c);
    task<verdict> check_ccert_access(const call& c);
    task<verdict> check_sasl_access(const call& c);
    task<verdict> check_server_access(const call& c);
    task<verdict> reject_unknown_helo_hostname(const call& c);
    task<verdict> reject_unknown_address(const call& c);
    task<verdict> reject_rbl_client(const call& c);
    task<verdict> reject_maps_rbl(const call& c);
    task<verdict> permit_dnswl_client(const call& c);
    task<verdict> reject_rhsbl(const call& c);
    task<verdict> permit_rhswl_client(const call& c);
    task<verdict> permit_mx_backup(const call& c);

  private:
    struct list_frame {
        std::string_view name;  // of the list, class or table, for the trail
        const std::vector<std::string>& words;
        const subject& about;
    };
    struct found_entry {
        verdict what = verdict::dunno;
        bool found = false;
    };
    struct host_addresses {
        std::vector<std::string> addresses;
        std::string error;  // gai_strerror(3)'s words
    };

    // Walking.
    void start_stage(bool permit_is_maybe);
    task<verdict> run(list_frame frame);
    bool argument_fits(const restriction& what, const std::vector<std::string>& words, std::size_t at) const;
    void warn_of_what_follows(const list_frame& frame, std::size_t at, verdict got);
    verdict force_deferral(verdict so_far);
    verdict imply(std::string_view parameter, std::string_view name, const subject& about);
    subject client_subject() const;

    // Saying no, and yes.
    verdict refuse(refusal_cause cause, int code, std::string_view dsn, std::string_view text);
    verdict refuse_about(int code, std::string_view dsn, std::string_view name, reply_class about,
                         std::string_view why);
    verdict maybe(tempfail how, int code, std::string_view dsn, std::string text);
    void defer_later_if_reject(int code, std::string_view dsn, std::string text);
    verdict configuration_error();
    verdict lookup_error(std::string_view name);
    verdict permitted(std::string_view action, reply_class about, std::string_view name, std::string_view detail = {});
    verdict forbid_permit(const call& c, verdict got, std::string_view about);
    void die(std::string text);
    void log_whatsup(std::string_view action, std::string_view text);
    void warn(std::string text) const;
    void warn_all(const std::vector<std::string>& texts) const;
    void warn_once(std::string_view key, std::string text);
    std::string for_log(std::string_view address) const;

    // Tables.
    task<verdict> act_on(table::match found, std::string_view spec, std::string datum, const subject& about,
                         bool suspicious);
    task<verdict> no_table(std::string_view asking, std::string_view spec, std::string_view datum,
                           const subject& about);
    task<found_entry> look_up_domain(std::string_view spec, std::string_view domain, const subject& about);
    task<found_entry> look_up_network(std::string_view spec, std::string_view address, const subject& about);
    const table::maps* access_table(std::string_view spec);
    task<verdict> act(std::string_view spec, std::string value, std::string datum, const subject& about);
    struct action_row;
    std::string fitted(const std::string& status, reply_class about);
    verdict take_action(const action_row& row, std::string_view spec, std::string_view text, std::string_view datum,
                        const subject& about);
    verdict take_effect(const action_row& row, std::string_view spec, std::string_view text, std::string_view datum,
                        const subject& about);
    bool can_take_effect(std::string_view action, std::string_view spec, bool by_cleanup) const;

    // Addresses and names.
    std::shared_ptr<const address::resolved> resolve(std::string_view sender, std::string_view recipient) const;
    std::string_view counterpart(reply_class about) const;  // the other address of the envelope
    const std::string* value_of(party whose) const;         // null where absent or unknown
    subject subject_of(party whose) const;
    const std::string* address_of(party whose) const;
    verdict reject_invalid_literal(std::string_view name, const subject& about);
    verdict authorized(std::string_view recipient);
    verdict check_known(std::string_view sender, const std::string& recipient, reply_class about);
    verdict unknown_user(int code, reply_class about, std::string_view recipient, std::string_view table);
    enum class known : std::uint8_t { no, yes, failed };
    bool is_local_domain(std::string_view domain) const;
    known find_in(const table::maps& maps, const std::string& address, std::string_view name, verdict& failure);
    known find_owners(std::string_view sender, std::string& owners, verdict& failure);
    verdict not_owned(bool unknown_is_fine);
    verdict not_logged_in();
    bool lacks_sasl(const call& c);

    // DNS.
    task<dns::response> ask(std::string name, dns::record_type type);
    task<dns::response> ask_unfiltered(std::string name, dns::record_type type);
    task<dns::response> ask_all(std::string name, std::vector<dns::record_type> types);
    std::vector<dns::record_type> address_types() const;
    task<host_addresses> addresses_of(std::string name);
    task<bool> any_is_us(std::vector<dns::record> exchangers, const subject& about);
    task<bool> all_in_networks(std::vector<dns::record> exchangers, const subject& about);
    task<const dnsbl_answer*> ask_list(std::string query);
    struct list_hit {
        bool listed = false, failed = false;
        const dnsbl_answer* answer = nullptr;
    };
    task<list_hit> ask_filtered(std::string query, std::string_view list);
    verdict reject_listed(const dnsbl_answer& answer, std::string_view list, std::string_view what, reply_class about);
    verdict relay_safety();
    std::optional<std::string> reply_value(std::string_view name) const;

    friend class access;
    static std::optional<std::string> reply_value(std::string_view name, const access_facts& facts,
                                                  const access_settings& settings);

    // Policy services.
    std::string policy_request(const policy_service& service);
    task<policy_attempt> ask_policy_server(const policy_service& service, const std::string& request);
    task<policy_attempt> talk_to_policy_server(std::unique_ptr<byte_stream> stream, const policy_service& service,
                                               const std::string& request);

    // The trail.
    void note(std::string_view list, const subject& about, std::string_view word, std::string_view argument,
              std::size_t mark, verdict got);

    master::mail_system& mail_;
    access_settings& settings_;
    const access_facts& facts_;
    access_memory& memory_;
    const maillog::process& by_;
    std::string_view stage_name_;
    std::optional<std::string> sender_, recipient_;  // as the stage shows them
    std::string reply_;
    refusal_cause cause_ = refusal_cause::policy;
    int depth_ = 0;         // of lists in lists
    int warn_only_at_ = 0;  // the depth of a warn_if_reject in force
    int policy_depth_ = 0;
    bool process_dies_ = false, hangs_up_ = false;
    // What the restriction under way said, for the trail.
    struct {
        std::string status, text, key, table, value, asked;
        table::position where;
    } said_;
};

}  // namespace mta::smtpd
