#include "sim/world.h"

#include "base/limits.h"
#include "sim/attacks/adversary.h"
#include "sim/hostile_node.h"
#include "sim/nodes.h"
#include "state/state_root.h"
#include "verify/audit.h"
#include "verify/score_audit.h"

namespace muster::sim {
namespace {

constexpr TimeMs kTickMs = 500;
constexpr TimeMs kBlockMs = 4000;
constexpr TimeMs kRollback = 34'000;
constexpr std::size_t kBlocksLost = 3;
constexpr std::uint64_t kLedgerKey = 1 << 20;  // no node has this id
constexpr TimeMs kLateBoot = 45'000;
constexpr TimeMs kLinger = 120'000;  // after the last round, for stragglers

Seed seed_of(std::uint64_t world, std::uint64_t node) {
  ByteWriter writer;
  writer.write(world);
  writer.write(node);
  return tagged_hash("muster/sim-key", writer.bytes()).bytes;
}

protocol::ProtocolParams make_params(const WorldConfig& config, const PublicKey& coordinator,
                                     const Hash& theta_root) {
  protocol::ProtocolParams params;
  params.name = "simulation";
  params.model = {.d_model = 16,
                  .layers = 1,
                  .heads = 2,
                  .kv_heads = 2,
                  .d_ff = 16,
                  .context = 8,
                  .vocab = 64,
                  .tied = true};
  params.sequences = 20'000;
  params.initial_theta_root = theta_root;
  params.coordinator = coordinator;
  params.rounds = config.rounds;
  params.training.inner_steps = 4;
  params.training.batch = 2;
  params.compression.schedule = {{4, 1024}, {1, 512}};
  params.compression.error_feedback_decay = 0.95f;
  params.verification.screen_sequences = 8;
  params.verification.own_sequences = 6;
  params.verification.shared_sequences = 12;
  params.verification.sealed_rounds = config.rounds_until_opened;
  if (config.validators == 0) params.verification.unscreened_rounds_max = 0;
  params.timing = {.gather_ms = 20'000,
                   .train_ms = 30'000,
                   .reveal_ms = 15'000,
                   .screen_ms = 15'000,
                   .grace_min_ms = 500,
                   .grace_max_ms = 10'000,
                   .pause_ms = 500,
                   .pause_max_ms = 4'000,
                   .quorum_percent = 66,
                   .miners_min = 2};
  return params;
}

enum class Cheat { kNone, kNoise, kReplay, kWithhold, kEquivocate };

Cheat cheat_of(std::uint32_t index, std::uint32_t cheaters) {
  if (index >= cheaters) return Cheat::kNone;
  constexpr Cheat kinds[] = {Cheat::kNoise, Cheat::kReplay, Cheat::kWithhold, Cheat::kEquivocate};
  return kinds[index % 4];
}

std::shared_ptr<miner::Conduct> conduct_of(Cheat cheat, const AdversaryContext& context) {
  switch (cheat) {
    case Cheat::kNoise:
      return noise(context);
    case Cheat::kReplay:
      return replay(context);
    case Cheat::kWithhold:
      return withholding(context);
    default:
      return std::make_shared<miner::Conduct>();
  }
}

// One network from boot to end. Members in order of construction: later ones refer to earlier ones.
class World {
 public:
  explicit World(const WorldConfig& config)
      : config_(config),
        coordinator_key_(seed_of(config.seed, 0)),
        initial_theta_(initial_theta()),
        params_(make_params(config, coordinator_key_.public_key(),
                            state::parameters_root(layout(), initial_theta_))),
        model_(config.seed, initial_theta_.size()),
        network_(events_, Prng(config.seed, 2), config.faults),
        ledger_(seed_of(config.seed, kLedgerKey)),
        checkers_(coordinator_key_.public_key()),
        surroundings_{config_,  params_, model_,    initial_theta_, events_,
                      network_, ledger_, checkers_, report_},
        coordinator_(surroundings_, 0, seed_of(config.seed, 0)) {
    report_.seed = config.seed;
    add_miners();
    add_validators();
    add_hostiles();
    coordinator_.set_members(members_);
    std::vector<Node*> peers;
    for (const auto& node : followers_) peers.push_back(node.get());
    for (const auto& node : hostiles_) peers.push_back(node.get());
    coordinator_.set_peers(std::move(peers));
  }

  WorldReport run() {
    coordinator_.boot();
    for (const auto& node : followers_)
      if (!is_late(*node)) node->boot();
    for (const auto& node : hostiles_) node->boot();
    if (config_.late_joiners > 0) events_.at(kLateBoot, [this] { boot_late(); });
    schedule_ticks();
    schedule_blocks();
    if (config_.bug == PlantedBug::kLedgerGoesBack)
      events_.at(kRollback, [this] { ledger_.lose(kBlocksLost); });
    if (config_.partitions) schedule_partition();
    TimeMs done_at = 0;
    while (events_.step() && events_.now_ms() < config_.time_limit_ms) {
      if (!checkers_.violations().empty() && config_.bug != PlantedBug::kNone &&
          config_.stop_at_violation)
        break;
      if (done_at == 0 && coordinator_.finished()) {
        done_at = events_.now_ms();
        surroundings_.calm = true;
        network_.set_faults({});
      }
      if (done_at != 0 && (all_reached() || events_.now_ms() > done_at + kLinger)) break;
    }
    if (config_.bug == PlantedBug::kNone) {
      checkers_.check_reached("coordinator", coordinator_.reached(), Round{config_.rounds});
      for (const auto& node : followers_)
        checkers_.check_reached(node->name(), node->reached(), Round{config_.rounds});
      // A damaged validator may have signed what its damage made of a round.
      if (config_.tamper == nullptr && report_.bit_flips == 0) check_audit();
    }
    if (config_.hostiles > 0) check_disk();
    note_weights();
    check_votes();
    report_.violations = checkers_.violations();
    report_.simulated_ms = events_.now_ms();
    return report_;
  }

  [[nodiscard]] RecordedRun record(const WorldReport& report) const {
    RecordedRun run{report, params_, initial_theta_, {}, coordinator_.disk().blobs, {}};
    for (const auto& record : coordinator_.disk().journal()) run.messages.push_back(record.bytes);
    run.keys.emplace(coordinator_.hotkey(), coordinator_.key());
    for (const auto& node : followers_) run.keys.emplace(node->hotkey(), node->key());
    return run;
  }

 private:
  static compression::Layout layout_for(const protocol::ProtocolParams& params) {
    return state::layout_of(params.model);
  }
  [[nodiscard]] compression::Layout layout() const {
    return state::layout_of(make_params(config_, PublicKey{}, Hash{}).model);
  }
  [[nodiscard]] std::vector<float> initial_theta() const {
    const auto params = make_params(config_, PublicKey{}, Hash{});
    std::vector<float> theta(layout_for(params).parameters());
    state::initial_parameters(params.model, config_.seed, theta);
    return theta;
  }

  void note_weights() {
    for (const ValidatorNode* validator : validators_) {
      if (!validator->alive() || config_.is_adversary(validator->id())) continue;
      const auto weights = validator->book().weights();
      for (const auto& member : members_.members) {
        if (const auto weight = weights.find(member.hotkey); weight != weights.end())
          report_.weights[member.uid] = std::max(report_.weights[member.uid], weight->second);
      }
    }
  }

  // Whatever crashes and gets lost, whoever measures honestly keeps its vote.
  void check_votes() {
    const auto judge = std::ranges::find_if(validators_, [&](const ValidatorNode* node) {
      return node->alive() && !config_.is_adversary(node->id());
    });
    if (judge == validators_.end()) return;
    protocol::ValidatorStakes stakes;
    for (const auto& member : members_.members)
      if (member.may_validate) stakes[member.hotkey] = member.stake;
    const auto weight_of = (*judge)->head().validator_weights(stakes);
    for (const auto& member : members_.members) {
      const auto weight = weight_of.find(member.hotkey);
      if (weight == weight_of.end() || weight->second > 0) continue;
      report_.contradicted.insert(member.uid);
      if (!config_.is_adversary(member.uid.value) && report_.bit_flips == 0)
        checkers_.saw_lost_vote(member.uid);
    }
  }

  // The last of the miners.
  [[nodiscard]] bool is_late(const Node& node) const {
    return node.id() <= config_.miners && node.id() > config_.miners - config_.late_joiners;
  }
  void boot_late() {
    for (const auto& node : followers_)
      if (is_late(*node)) node->boot();
  }

  // Nothing of what honest nodes signed, crashes or not, is wrong to who checks it afterwards.
  void check_audit() {
    verify::ScoreAudit scores;
    verify::Audit audit(params_, initial_theta_, [this](const Hash& id) -> Result<Bytes> {
      if (const Bytes* blob = coordinator_.find_blob(id)) return *blob;
      return Error{Errc::kNotFound, "blob " + id.hex()};
    });
    audit.on_round([&](const auto& round, auto& report) { return scores.take(round, report); });
    for (const auto& record : coordinator_.disk().journal())
      if (!audit.take(record.bytes).value()) break;
    for (const auto& finding : audit.finish().findings) {
      // What a hostile validator with stake signed is wrong, and is rightly named.
      const bool hostile = config_.hostiles > 0 && finding.signer &&
                           finding.signer->hotkey != coordinator_.hotkey() &&
                           !checkers_.is_honest(finding.signer->hotkey);
      if (!hostile) checkers_.saw_finding(describe(finding));
    }
  }

  // What others can make the coordinator keep is bounded: per hotkey and round two of each message
  // that may exist once and a dispute; of blobs only what manifests, closes and checkpoints name.
  void check_disk() {
    constexpr std::uint64_t kMessageBytes = 2 * limits::kScreenBytesMax + 4096;
    struct Kept {
      std::uint64_t messages = 0, disputes = 0;  // bytes
    };
    std::map<std::pair<PublicKey, Round>, Kept> bytes;
    std::set<Hash> named;
    for (const auto& record : coordinator_.disk().journal()) {
      const auto envelope = wire::reread_envelope(record.bytes).value();
      Kept& kept = bytes[{envelope.sender, record.round}];
      (is_a(envelope, protocol::MessageType::kDispute) ? kept.disputes : kept.messages) +=
          record.bytes.size();
      if (const auto manifest = protocol::read_body<protocol::Manifest>(envelope))
        named.insert({manifest->aggregate_id, manifest->record_id});
      if (const auto checkpoint = protocol::read_body<protocol::Checkpoint>(envelope))
        named.insert(checkpoint->blob_id);
      if (const auto closed = protocol::read_body<protocol::CommitsClosed>(envelope))
        for (const Hash& id : protocol::payloads_named(*closed)) named.insert(id);
    }
    for (const auto& [key, kept] : bytes)
      if (key.first != coordinator_.hotkey() &&
          (kept.messages > kMessageBytes || kept.disputes > limits::kDisputeBytesMax))
        checkers_.saw_accusation("disk", key.first.brief() + " filled it with " +
                                             std::to_string(kept.messages + kept.disputes) +
                                             " bytes in round " + std::to_string(key.second.value));
    std::size_t unnamed = 0;
    for (const auto& [id, blob] : coordinator_.disk().blobs) unnamed += !named.contains(id);
    // The round that was open when the run ended may have some, and one that a crash interrupted.
    if (unnamed > std::size_t{config_.miners} + config_.hostiles + report_.crashes)
      checkers_.saw_accusation("disk", std::to_string(unnamed) + " blobs that nothing names");
  }

  void add_member(Node& node, std::uint16_t uid, std::uint64_t stake) {
    members_.members.push_back(
        {.uid = Uid{uid}, .hotkey = node.hotkey(), .stake = stake, .may_validate = stake > 0});
  }

  [[nodiscard]] std::shared_ptr<miner::Conduct> conduct_for(NodeId id, Cheat cheat) const {
    const AdversaryContext context{layout(), params_.sequences, params_.training.batch,
                                   config_.seed * 100 + id - 1};
    if (config_.is_adversary(id) && config_.conduct != nullptr) return config_.conduct(context);
    return conduct_of(cheat, context);
  }

  void add_miners() {
    for (std::uint32_t i = 0; i < config_.miners; ++i) {
      const Cheat cheat = cheat_of(i, config_.cheaters);
      const NodeId id = i + 1;
      auto node = std::make_unique<MinerNode>(surroundings_, id, "miner-" + std::to_string(id),
                                              seed_of(config_.seed, id), coordinator_,
                                              conduct_for(id, cheat), cheat == Cheat::kEquivocate);
      if (cheat == Cheat::kNone && !config_.is_adversary(id)) checkers_.set_honest(node->hotkey());
      add_member(*node, static_cast<std::uint16_t>(id), 0);
      followers_.push_back(std::move(node));
    }
  }

  void add_validators() {
    for (std::uint32_t i = 0; i < config_.validators; ++i) {
      const NodeId id = config_.miners + i + 1;
      auto node =
          std::make_unique<ValidatorNode>(surroundings_, id, "validator-" + std::to_string(i + 1),
                                          seed_of(config_.seed, id), coordinator_);
      const bool is_adversary = config_.is_adversary(id);
      if (!is_adversary) checkers_.set_honest(node->hotkey());
      validators_.push_back(node.get());
      add_member(*node, static_cast<std::uint16_t>(id),
                 is_adversary && !config_.adversaries_have_stake ? 0 : 1000 + i);
      followers_.push_back(std::move(node));
    }
  }

  // Miners, validators without stake, and one with a little.
  void add_hostiles() {
    for (std::uint32_t i = 0; i < config_.hostiles; ++i) {
      const NodeId id = config_.miners + config_.validators + i + 1;
      const Role role = i % 2 == 0 ? Role::kMiner : Role::kValidator;
      auto node =
          std::make_unique<HostileNode>(surroundings_, id, "hostile-" + std::to_string(i + 1),
                                        seed_of(config_.seed, id), coordinator_, role);
      add_member(*node, static_cast<std::uint16_t>(id), i == 1 ? 100 : 0);
      hostiles_.push_back(std::move(node));
    }
  }

  void schedule_ticks() {
    events_.after(kTickMs, [this] {
      coordinator_.tick();
      for (const auto& node : followers_) node->tick();
      schedule_ticks();
    });
  }

  void schedule_blocks() {
    events_.after(kBlockMs, [this] {
      ledger_.make_block();
      coordinator_.look_at_ledger();
      for (const auto& node : followers_) node->look_at_ledger();
      schedule_blocks();
    });
  }

  // Now and then one node is cut off for some seconds.
  void schedule_partition() {
    Prng random(config_.seed, 3);
    for (int i = 0; i < 6; ++i) {
      const auto node = static_cast<NodeId>(random.below(followers_.size() + 1));
      const auto start = static_cast<TimeMs>(random.below(200'000));
      const auto length = static_cast<TimeMs>(1000 + random.below(25'000));
      events_.at(start, [this, node] { network_.isolate(node, true); });
      events_.at(start + length, [this, node] { network_.isolate(node, false); });
    }
  }

  [[nodiscard]] bool all_reached() const {
    if (checkers_.damage_left()) return false;
    for (const auto& node : followers_)
      if (!node->alive() || node->reached() < Round{config_.rounds}) return false;
    return true;
  }

  WorldConfig config_;
  SigningKey coordinator_key_;
  std::vector<float> initial_theta_;
  protocol::ProtocolParams params_;
  AnalyticModel model_;
  EventQueue events_;
  Network network_;
  LedgerDaemon ledger_;
  Checkers checkers_;
  WorldReport report_;
  Surroundings surroundings_;
  CoordinatorNode coordinator_;
  std::vector<std::unique_ptr<FollowerNode>> followers_;
  std::vector<const ValidatorNode*> validators_;  // of the followers
  std::vector<std::unique_ptr<HostileNode>> hostiles_;
  coordinator::LedgerView members_;
};

}  // namespace

WorldConfig random_world(std::uint64_t seed) {
  Prng random(seed, 7);
  WorldConfig config;
  config.seed = seed;
  config.cheaters = static_cast<std::uint32_t>(random.below(5));
  config.faults.loss = random.chance(0.5) ? 0.15 * random.uniform() : 0;
  config.faults.duplication = random.chance(0.5) ? 0.2 * random.uniform() : 0;
  config.faults.delay_max_ms = 5 + static_cast<TimeMs>(random.below(800));
  config.crash_per_action = random.chance(0.6) ? 0.01 * random.uniform() : 0;
  config.partitions = random.chance(0.5);
  config.late_joiners = static_cast<std::uint32_t>(random.below(3));
  config.bit_flips_per_round = random.chance(0.3) ? 0.05 * random.uniform() : 0;
  config.rounds_until_opened = static_cast<std::uint32_t>(seed % 4);
  return config;
}

WorldConfig hostile_world(std::uint64_t seed) {
  WorldConfig config;
  config.seed = seed;
  config.rounds = 6;
  config.cheaters = 0;
  config.hostiles = 4;
  config.crash_per_action =
      seed % 2 == 0 ? 0.001 : 0;  // hostile messages make nodes do many more than elsewhere
  config.partitions = seed % 3 == 0;
  config.faults.loss = seed % 3 == 0 ? 0.05 : 0;
  config.time_limit_ms = 20 * 60 * 1000;
  return config;
}

WorldReport run_world(const WorldConfig& config) { return World(config).run(); }

RecordedRun record_world(const WorldConfig& config) {
  World world(config);
  const WorldReport report = world.run();
  return world.record(report);
}

}  // namespace muster::sim
