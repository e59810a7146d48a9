// Tamper: what leaves an adversary's node instead of what its honest core sends, signed with the
// node's own key.
//
// The protocol's attacks: a miner or validator whose core runs as it should, behind a line that
// lies. Thread safety: none.
#pragma once

#include <vector>

#include "base/clock.h"
#include "base/sign.h"
#include "verify/validator.h"
#include "wire/envelope.h"

namespace muster::sim {

class Tamper {
 public:
  virtual ~Tamper() = default;
  struct Outgoing {
    TimeMs delay = 0;
    Bytes message;
  };
  // Of the node's own messages; what it relays never comes here.
  [[nodiscard]] virtual std::vector<Outgoing> message(const SigningKey&, const Bytes& message) {
    return {{0, message}};
  }
  // What a validator measured, before its core hears of it.
  virtual void scored(verify::Scored&) {}
  // The sealed blob to upload under the id that the commit names.
  [[nodiscard]] virtual Bytes blob(Bytes blob) { return blob; }
};

}  // namespace muster::sim
