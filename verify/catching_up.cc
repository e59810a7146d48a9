// How a validator reaches the agreed state when it is behind, or finds itself at another; and what
// it keeps for a coordinator that has lost its own.
#include "protocol/attestation.h"
#include "state/state_root.h"
#include "verify/validator.h"

namespace muster::verify {

// Not behind the record that ends the round, or leaves it: read again, it would belong to a round
// that is over.
void Validator::persist_news() {
  for (Bytes& message : follower_.take_news())
    if (!progress_.applying && !adopting_)
      actions_.push_back(Persist{head().round(), std::move(message)});
}

// A coordinator that started again may know less of this round than it signed and acknowledged.
void Validator::hand_back(protocol::Phase phase) {
  for (Bytes& message : follower_.signed_after(phase)) actions_.push_back(Send{std::move(message)});
  if (own_screen() != nullptr && !follower_.manifest()) actions_.push_back(Send{*own_screen()});
}

Actions Validator::on_stakes(const protocol::ValidatorStakes& stakes, bool has_set_weights,
                             TimeMs now) {
  if (!joining_.under_way() || adopting_) return {};
  if (has_set_weights && book_.current().ratings().empty()) {
    joining_.refuse_for_good();
    decline_checkpoint(
        Error{Errc::kNotFound,
              "this hotkey has set weights before, and its folder has no ratings of miners"},
        now);
    return take_actions();
  }
  if (const auto blob = joining_.take_stakes(stakes)) {
    actions_.push_back(Fetch{*blob});
  } else {
    decline_checkpoint(blob.error(), now);
  }
  return take_actions();
}

Actions Validator::on_adopted(const Hash& theta_root, TimeMs now) {
  MUSTER_CHECK(adopting_, "adopted what was not asked for");
  move_to(*std::exchange(adopting_, {}));
  joining_.finish();
  theta_root_ = theta_root;
  send_ready(now);
  return take_actions();
}

void Validator::check_own_state() {
  if (std::exchange(progress_.state_checked, true)) return;
  auto heads = ledger_heads(head().position(), follower_.open()->message);
  if (!heads.empty()) actions_.push_back(CompareHeads{std::move(heads)});
  const auto attested = majority_attestation(head().position(), follower_.open()->message);
  if (!attested || attested->state_id != head().state_id()) return;
  if (*attested == protocol::attest_of(head(), theta_root_, downlink_root_)) {
    if (!started_over_ || head().round() < *started_over_) return;
    started_over_.reset();
  } else if (!started_over_) {
    start_over("the state is not the one that the other validators attest");
  } else {
    accuse(protocol::DisputeReason::kStateRoot, attested->theta_root, theta_root_,
           follower_.open()->message.attestations);
  }
}

void Validator::consider_offer() {
  if (progress_.applying || adopting_) return;
  if (auto offer = follower_.take_offer(); offer && joining_.take_offer(std::move(*offer)))
    actions_.push_back(AskStakes{});
}

void Validator::take_checkpoint(ByteSpan blob, TimeMs now) {
  if (adopting_) return;  // a second copy of the blob
  auto state = joining_.take_blob(params_, layout_, blob);
  if (!state) return decline_checkpoint(state.error(), now);
  adopt(std::move(state->head), std::make_shared<const std::vector<float>>(std::move(state->theta)),
        std::make_shared<const std::vector<float>>(std::move(state->downlink_residual)));
}

void Validator::decline_checkpoint(const Error& why, TimeMs now) {
  actions_.push_back(Note{why.message + "; replaying the rounds instead"});
  joining_.refuse(head().round());
  send_ready(now);
}

// From the initial model, or from a checkpoint if one is offered.
void Validator::start_over(const std::string& why) {
  started_over_ = head().round();
  actions_.push_back(
      Note{"round " + std::to_string(head().round().value) + ": " + why + ": computing it again"});
  adopt(protocol::ChainHead(params_, head().position().run_id).state(), nullptr,
        std::make_shared<const std::vector<float>>(layout_.parameters(), 0.0f));
}

void Validator::adopt(protocol::HeadState head, std::shared_ptr<const std::vector<float>> theta,
                      std::shared_ptr<const std::vector<float>> residual) {
  residual_ = std::move(residual);
  downlink_root_ = state::parameters_root(layout_, *residual_);
  actions_.push_back(Persist{this->head().round(), sign(protocol::Joined{wire::encode(head)})});
  actions_.push_back(Adopt{std::move(theta), residual_});
  adopting_ = std::move(head);
}

void Validator::move_to(const protocol::HeadState& state) {
  follower_.adopt(protocol::ChainHead(params_, head().position().run_id, state));
  // Its last Screen may have been sealed while this validator was away: then it must open what it
  // sealed.
  if (assessment_ && head().has_sealed(key_.public_key(), assessment_->round))
    keep_sealed(*std::exchange(assessment_, {}));
  stop_scoring();
  progress_ = Progress{};
  last_.reset();
  last_aggregate_.reset();
  verdicts_.clear();
}

// At the end there is no next round whose attestations would show a difference.
void Validator::finish_run() {
  if (!follower_.finished() || finished_ || progress_.applying || adopting_ || progress_.accused)
    return;
  const Hash& expected = follower_.finished()->theta_root;
  if (expected == theta_root_) {
    finished_ = true;
    actions_.push_back(Finish{});
  } else if (!started_over_) {
    start_over("θ is not the coordinator's at the end of the run");
  } else {
    accuse(protocol::DisputeReason::kStateRoot, expected, theta_root_, {});
  }
}

}  // namespace muster::verify
