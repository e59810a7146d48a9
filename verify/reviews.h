// Reviews: a validator measures now and then what another one measures, with that one's draws, and
// says whether the other told the truth once its evaluation is open.
//
// A validator's secret for a round is out when the round is sealed, and its evaluations of that
// round are sealed with its next Screen: whoever makes evaluations up does not know which of them
// somebody else has measured. Whose and which is drawn from a secret that nobody learns. What was
// measured and not reviewed yet is lost with a restart. Thread safety: none; one owner.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/messages.h"
#include "verify/draws.h"
#include "verify/evaluation.h"
#include "verify/score.h"

namespace muster::verify {

// Another validator whose Screen of a round is sealed, with the secret that it had promised.
struct Peer {
  PublicKey hotkey;
  protocol::Secret secret{};
  std::uint64_t weight = 0;  // ChainHead::weights()
};
struct PeerScreen {
  Peer peer;
  std::vector<protocol::Assessment> opened;
};
// `head`: before the round that `open` opened; `screens`: of its seal record, which holds; `own`:
// this validator's hotkey.
[[nodiscard]] std::vector<PeerScreen> peer_screens(const protocol::ChainHead& head,
                                                   const protocol::RoundOpen& open,
                                                   const std::vector<Bytes>& screens,
                                                   const PublicKey& own);

struct ReviewDraw {
  Peer peer;
  Uid miner;
};

class Reviews {
 public:
  // In one round of four: a peer, drawn by weight, and one of the miners: every second time any of
  // them, else one that the peer probably measures in that round. It knows this validator's ratings
  // too, so none is ever safe from being drawn. `secret`: this validator's own, which nobody
  // learns. `miners`: whose payloads may be measured, as this validator rates them.
  [[nodiscard]] std::optional<ReviewDraw> draw(const protocol::Secret& secret,
                                               const Hash& late_beacon,
                                               const std::vector<Peer>& peers,
                                               const std::vector<Measurable>& miners) const;

  // What this validator measured in the place of a peer.
  void measured(const PublicKey& peer, const protocol::Evaluation& evaluation,
                const std::string& platform_class);
  // What a peer opened, in a sealed Screen. Returns the reviews that follow from it.
  std::vector<protocol::Review> take_opened(const PublicKey& peer,
                                            const protocol::Assessment& opened);
  // Those that no sealed Screen of this validator shows yet, ascending, at most as many as a Screen
  // may have.
  [[nodiscard]] std::vector<protocol::Review> due() const;
  // A Screen with these is sealed.
  void said(const std::vector<protocol::Review>& reviews);

 private:
  struct Measured {
    PublicKey peer;
    protocol::Evaluation evaluation;
    std::string platform_class;
  };
  static constexpr std::size_t kMeasuredMax = 64, kRoundsRemembered = 16;

  std::vector<Measured> measured_;     // the oldest first; not open yet
  std::vector<protocol::Review> due_;  // ascending
  std::map<PublicKey, std::deque<std::size_t>>
      measures_;  // miners in a round, as opened last; the newest last
};

}  // namespace muster::verify
