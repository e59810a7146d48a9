#include "base/result.h"

namespace muster {

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument:
      return "invalid argument";
    case Errc::kMalformed:
      return "malformed";
    case Errc::kTooLarge:
      return "too large";
    case Errc::kTruncated:
      return "truncated";
    case Errc::kNonFinite:
      return "non-finite";
    case Errc::kBadSignature:
      return "bad signature";
    case Errc::kBadHash:
      return "bad hash";
    case Errc::kWrongRun:
      return "wrong run";
    case Errc::kWrongRound:
      return "wrong round";
    case Errc::kVersion:
      return "unknown version";
    case Errc::kNotFound:
      return "not found";
    case Errc::kAlreadyExists:
      return "already exists";
    case Errc::kPermission:
      return "not permitted";
    case Errc::kConflict:
      return "conflict";
    case Errc::kIo:
      return "input/output error";
    case Errc::kNoSpace:
      return "no space left";
    case Errc::kNoDescriptors:
      return "no file descriptors left";
    case Errc::kTimeout:
      return "timed out";
    case Errc::kClosed:
      return "closed";
    case Errc::kCancelled:
      return "cancelled";
  }
  MUSTER_UNREACHABLE();
}

}  // namespace muster
