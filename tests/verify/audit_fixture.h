// Small simulated runs for tests of the audit, and what changes them afterwards.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "compression/segmented_blob.h"
#include "protocol/assessment.h"
#include "protocol/seal_record.h"
#include "protocol/signed_message.h"
#include "sim/world.h"
#include "verify/audit.h"
#include "verify/score_audit.h"

namespace muster::testing {

// Of a run in which no round is null, though nodes crash.
inline constexpr std::uint64_t kSeed = 13;

inline sim::WorldConfig small_world(std::uint64_t seed) {
  sim::WorldConfig config;
  config.seed = seed;
  config.miners = 6;
  config.cheaters = 3;  // noise, replay, key withheld
  config.validators = 3;
  config.rounds = 8;
  config.partitions = false;
  config.rounds_until_opened = 0;  // a changed Screen opens what it seals
  return config;
}

// A validator that changes its Screen of one round before it signs it.
class ChangedScreen final : public sim::Tamper {
 public:
  using Change = std::function<void(protocol::Screen&)>;
  ChangedScreen(Round round, Change change) : round_(round), change_(std::move(change)) {}
  std::vector<Outgoing> message(const SigningKey& key, const Bytes& message) override {
    auto envelope = wire::reread_envelope(message).value();
    if (!is_a(envelope, protocol::MessageType::kScreen) || envelope.round != round_)
      return {{0, message}};
    auto screen = protocol::read_body<protocol::Screen>(envelope).value();
    change_(screen);
    if (!screen.opened.empty() && screen.opened.back().round == round_)
      screen.assessment =
          protocol::assessment_hash(envelope.run_id, key.public_key(), screen.opened.back());
    envelope.body = wire::encode(screen);
    return {{0, wire::seal_envelope(std::move(envelope), key)}};
  }

 private:
  Round round_;
  Change change_;
};

inline sim::RecordedRun run_with_screen(std::uint64_t round, ChangedScreen::Change change,
                                        std::uint32_t rounds_until_opened = 0) {
  sim::WorldConfig config = small_world(kSeed);
  config.rounds_until_opened = rounds_until_opened;
  config.adversary = config.miners + 1;  // the first validator
  config.tamper = std::make_shared<ChangedScreen>(Round{round}, std::move(change));
  return sim::record_world(config);
}

// One honest run for all tests of a program: they change copies.
inline const sim::RecordedRun& honest_run() {
  static const sim::RecordedRun run = sim::record_world(small_world(kSeed));
  return run;
}

inline protocol::MessageType type_of(const Bytes& message) {
  return protocol::MessageType{wire::reread_envelope(message).value().type};
}

// Index of the message of `type` in `round`, the `nth` of them.
inline std::size_t find_message(const sim::RecordedRun& run, protocol::MessageType type,
                                std::uint64_t round, std::size_t nth = 0) {
  for (std::size_t i = 0; i < run.messages.size(); ++i) {
    const auto envelope = wire::reread_envelope(run.messages[i]).value();
    if (is_a(envelope, type) && envelope.round.value == round && nth-- == 0) return i;
  }
  ADD_FAILURE() << "no " << name_of(type) << " in round " << round;
  return 0;
}

template <class Message>
Message body_of(const Bytes& message) {
  return protocol::read_body<Message>(wire::reread_envelope(message).value()).value();
}

// Changes the body of message `index` and has its sender sign it again.
template <class Message, class Change>
void sign_again(sim::RecordedRun& run, std::size_t index, Change change) {
  auto envelope = wire::reread_envelope(run.messages[index]).value();
  auto message = protocol::read_body<Message>(envelope).value();
  change(message);
  protocol::set_body(envelope, message);
  const SigningKey& key = run.keys.at(envelope.sender);
  run.messages[index] = wire::seal_envelope(std::move(envelope), key);
}

// Changes the record of the Manifest `index`, which then names the changed one and its outcomes.
template <class Change>
void change_record(sim::RecordedRun& run, std::size_t index, Change change) {
  sign_again<protocol::Manifest>(run, index, [&](protocol::Manifest& manifest) {
    auto record = protocol::decode_record(run.blobs.at(manifest.record_id)).value();
    change(record);
    manifest.codes.clear();
    manifest.standings.clear();
    for (const auto& outcome : record.outcomes) {
      manifest.codes.push_back(outcome.code);
      manifest.standings.push_back({outcome.standing, outcome.proven});
    }
    Bytes blob = protocol::encode_record(record);
    manifest.record_id = compression::blob_id(blob).value();
    run.blobs[manifest.record_id] = std::move(blob);
  });
}

struct AuditedWorld {
  verify::AuditReport report;
  verify::ScoreAudit scores;
  std::vector<float> theta;
};

inline AuditedWorld audit(const sim::RecordedRun& run, const verify::AuditOptions& options = {}) {
  AuditedWorld audited;
  verify::Audit audit(
      run.params, run.initial_theta,
      [&](const Hash& id) -> Result<Bytes> {
        const auto blob = run.blobs.find(id);
        if (blob == run.blobs.end()) return Error{Errc::kNotFound, "blob " + id.hex()};
        return blob->second;
      },
      options);
  audit.on_round([&](const verify::AuditedRound& round, verify::AuditReport& report) {
    return audited.scores.take(round, report);
  });
  for (const Bytes& message : run.messages)
    if (!audit.take(message).value()) break;
  audited.report = audit.finish();
  audited.theta.assign(audit.theta().begin(), audit.theta().end());
  return audited;
}

inline std::string text_of(const verify::AuditReport& report) {
  std::string text;
  for (const auto& finding : report.findings) text += describe(finding) + "\n";
  return text;
}

// The first finding of a kind, or a failed test.
inline verify::Finding finding_of(const verify::AuditReport& report, verify::Check check) {
  for (const auto& finding : report.findings)
    if (finding.check == check) return finding;
  ADD_FAILURE() << "no finding about " << name_of(check) << " among:\n" << text_of(report);
  return {};
}

// The first remark of a kind, or a failed test.
inline verify::Finding remark_of(const verify::AuditReport& report, verify::Check check) {
  for (const auto& remark : report.remarks)
    if (remark.check == check) return remark;
  ADD_FAILURE() << "no remark about " << name_of(check) << " beside:\n" << text_of(report);
  return {};
}

}  // namespace muster::testing
