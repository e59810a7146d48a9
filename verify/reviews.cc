#include "verify/reviews.h"

#include <algorithm>

#include "base/prng.h"
#include "protocol/beacon.h"
#include "protocol/round_record.h"

namespace muster::verify {
namespace {

constexpr std::uint64_t kRoundsPerReview = 4;
// Wide enough for products in bf16 against fp32: a vote is at stake, and between classes nobody can
// tell small lies.
constexpr ScoreTolerance kReviewTolerance{.score_e3 = 200, .drop_share = 0.25, .drop_e6 = 1000};

const Peer* draw_by_weight(Prng& random, const std::vector<Peer>& peers) {
  std::uint64_t total = 0;
  for (const Peer& peer : peers) total += peer.weight;
  if (total == 0) return nullptr;
  std::uint64_t place = random.below(total);
  for (const Peer& peer : peers) {
    if (place < peer.weight) return &peer;
    place -= peer.weight;
  }
  MUSTER_UNREACHABLE();
}

}  // namespace

std::vector<PeerScreen> peer_screens(const protocol::ChainHead& head,
                                     const protocol::RoundOpen& open,
                                     const std::vector<Bytes>& screens, const PublicKey& own) {
  std::vector<PeerScreen> peers;
  auto read = protocol::read_screens(head.position(), open, head.weights(open), screens);
  if (!read) return peers;
  for (protocol::WeighedScreen& screen : *read) {
    const PublicKey& hotkey = protocol::find_in_roster(open, screen.validator)->hotkey;
    const protocol::Secret& secret = screen.screen.secret;
    if (hotkey == own || !protocol::is_promised(head, hotkey, secret)) continue;
    peers.push_back({{hotkey, secret, screen.weight}, std::move(screen.screen.opened)});
  }
  return peers;
}

std::optional<ReviewDraw> Reviews::draw(const protocol::Secret& secret, const Hash& late_beacon,
                                        const std::vector<Peer>& peers,
                                        const std::vector<Measurable>& miners) const {
  Prng random(tagged_hash("muster/review", {secret, late_beacon.bytes}));
  if (random.below(kRoundsPerReview) != 0 || miners.empty()) return std::nullopt;
  const Peer* peer = draw_by_weight(random, peers);
  if (peer == nullptr) return std::nullopt;
  // The peer's own order follows from its ratings, which are sealed: those of this validator are
  // about the same.
  const auto order = measuring_order(peer->secret, late_beacon, miners);
  std::size_t places = order.size();
  if (const auto known = measures_.find(peer->hotkey);
      known != measures_.end() && random.chance(0.5))
    places = std::clamp<std::size_t>(2 * std::ranges::max(known->second), 1, order.size());
  return ReviewDraw{*peer, order[random.below(places)]};
}

void Reviews::measured(const PublicKey& peer, const protocol::Evaluation& evaluation,
                       const std::string& platform_class) {
  if (measured_.size() == kMeasuredMax) measured_.erase(measured_.begin());
  measured_.push_back({peer, evaluation, platform_class});
}

std::vector<protocol::Review> Reviews::take_opened(const PublicKey& peer,
                                                   const protocol::Assessment& opened) {
  std::vector<protocol::Review> reviews;
  std::map<Round, std::size_t> measured_in;
  for (const protocol::Evaluation& evaluation : opened.evaluations)
    measured_in[evaluation.round] += evaluation.basis == protocol::Basis::kMeasured;
  for (const auto& [round, count] : measured_in) {
    auto& counts = measures_[peer];
    counts.push_back(count);
    if (counts.size() > kRoundsRemembered) counts.pop_front();
  }
  for (const protocol::Evaluation& evaluation : opened.evaluations) {
    const auto own = std::ranges::find_if(measured_, [&](const Measured& known) {
      return known.peer == peer && known.evaluation.round == evaluation.round &&
             known.evaluation.uid == evaluation.uid;
    });
    if (own == measured_.end()) continue;
    if (evaluation.basis == protocol::Basis::kMeasured) {
      const bool confirmed = compare(evaluation, opened.platform_class, own->evaluation,
                                     own->platform_class, kReviewTolerance) != Agreement::kNone;
      const protocol::Review review{peer, evaluation.round, evaluation.uid, !confirmed};
      due_.insert(std::ranges::upper_bound(due_, review), review);
      reviews.push_back(review);
    }
    measured_.erase(own);
  }
  return reviews;
}

// The newest first where they are too many: an old contradiction stops counting sooner.
std::vector<protocol::Review> Reviews::due() const {
  std::vector<protocol::Review> newest = due_;
  std::ranges::stable_sort(newest, std::greater<>(), &protocol::Review::round);
  newest.resize(std::min(newest.size(), protocol::kReviewsMax));
  std::ranges::sort(newest);
  return newest;
}

void Reviews::said(const std::vector<protocol::Review>& reviews) {
  std::erase_if(due_, [&](const protocol::Review& review) {
    return std::ranges::binary_search(reviews, review);
  });
  if (due_.size() > kMeasuredMax) due_.clear();
}

}  // namespace muster::verify
