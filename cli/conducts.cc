#include "cli/conducts.h"

namespace muster::cli {
namespace {

// Not those that need data or a training of their own making, or other miners' payloads.
bool needs_only_itself(const sim::Attack& attack) {
  return attack.training == sim::LocalTraining{} && attack.hotkeys == 1 && attack.name != "copy" &&
         attack.name != "peek" && attack.name != "shadow";
}

constexpr const char* kWithholding = "withholding";

}  // namespace

std::vector<std::string> cheater_names() {
  std::vector<std::string> names{kWithholding};
  for (const sim::Attack& attack : sim::attacks())
    if (needs_only_itself(attack)) names.emplace_back(attack.name);
  return names;
}

Result<std::shared_ptr<miner::Conduct>> make_conduct(const std::string& name,
                                                     const sim::AdversaryContext& context) {
  if (name == "honest") return std::make_shared<miner::Conduct>();
  if (name == kWithholding) return std::shared_ptr<miner::Conduct>(sim::withholding(context));
  const sim::Attack* attack = sim::find_attack(name);
  if (attack != nullptr && needs_only_itself(*attack))
    return std::shared_ptr<miner::Conduct>(attack->make(context));
  std::string names = "honest";
  for (const std::string& cheater : cheater_names()) names += ", " + cheater;
  return Error{Errc::kInvalidArgument, "conduct '" + name + "' is not one of " + names};
}

}  // namespace muster::cli
