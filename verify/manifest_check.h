// Where a signed manifest differs from the one that its round's messages give, field by field.
//
// Thread safety: pure but for the report that it adds to.
#pragma once

#include "protocol/messages.h"
#include "verify/audit_report.h"

namespace muster::verify {

struct ManifestCheck {
  const protocol::Manifest& expected;  // sealed again
  const protocol::SealRecord& expected_record;
  const protocol::Manifest& found;  // as signed
  const protocol::SealRecord& found_record;
  Round round;
  Signer signer;
  bool aggregate_known = true;  // expected has aggregate_id and state_id_after
};

// Adds what holds and what does not. True when the next state is the expected one, whatever else is
// wrong.
bool check_manifest(const ManifestCheck& check, AuditReport& report);

}  // namespace muster::verify
