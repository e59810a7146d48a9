#include "wire/blob_endpoint.h"

#include <algorithm>

namespace muster::wire {
namespace {

constexpr TimeMs kIdleMs = 1000;

int until(const std::optional<TimeMs>& due, TimeMs now) {
  return static_cast<int>(std::clamp<TimeMs>(due ? *due - now : kIdleMs, 0, kIdleMs));
}

}  // namespace

BlobServerEndpoint::BlobServerEndpoint(std::unique_ptr<Transport> transport,
                                       const BlobStore& served, BlobStore& uploads,
                                       const BlobServer::Limits& limits, Handlers handlers)
    : transport_(std::move(transport)),
      server_(served, uploads, limits),
      handlers_(std::move(handlers)),
      thread_([this] { run(); }) {}

BlobServerEndpoint::~BlobServerEndpoint() {
  commands_.push({Command::Kind::kStop, {}, {}, 0});
  thread_.join();
}

void BlobServerEndpoint::carry_out(const BlobServer::Response& response) {
  // A peer that has gone or does not read asks or offers again when it is back.
  for (const Outgoing& message : response.messages)
    (void)transport_->send(message.to, message.message);
  if (response.uploaded) handlers_.uploaded(response.uploaded->from, response.uploaded->id);
  if (!response.no_room.empty()) handlers_.no_room(response.no_room);
}

// One frame, when one is due: between two of them messages are taken.
void BlobServerEndpoint::serve_turn() {
  const auto frame = server_.next_frame(clock_.now_ms());
  if (!frame) return;
  const Status sent = transport_->send(frame->to, frame->message);
  if (sent) return server_.sent(clock_.now_ms());
  server_.not_sent(sent.error().code != Errc::kClosed, clock_.now_ms());
}

void BlobServerEndpoint::run() {
  for (;;) {
    while (auto command = commands_.pop()) {
      switch (command->kind) {
        case Command::Kind::kStop:
          return;
        case Command::Kind::kPermit:
          carry_out(server_.permit(command->from, command->id, command->bytes));
          break;
        case Command::Kind::kEndRound:
          carry_out(server_.end_round());
          break;
      }
    }
    auto incoming = transport_->receive(until(server_.next_due(), clock_.now_ms()), commands_.fd());
    if (incoming && *incoming)
      carry_out(server_.on_message((*incoming)->from, (*incoming)->message, clock_.now_ms()));
    serve_turn();
  }
}

BlobClientEndpoint::BlobClientEndpoint(std::unique_ptr<Transport> transport,
                                       const PublicKey& server, BlobClient client,
                                       Handlers handlers)
    : transport_(std::move(transport)),
      server_(server),
      client_(std::move(client)),
      handlers_(std::move(handlers)),
      thread_([this] { run(); }) {}

BlobClientEndpoint::~BlobClientEndpoint() {
  commands_.push({Command::Kind::kStop, {}, {}, 0});
  thread_.join();
}

void BlobClientEndpoint::send_all(const std::vector<Bytes>& messages) {
  for (const Bytes& message : messages) {
    if (Status sent = transport_->send(server_, message); !sent)
      return handlers_.problem(sent.error().message);
    bytes_up_ += message.size();
  }
}

void BlobClientEndpoint::carry_out(Command command) {
  switch (command.kind) {
    case Command::Kind::kFetch:
      return send_all(client_.fetch(command.id, command.bytes_max));
    case Command::Kind::kUpload:
      return send_all(client_.upload(command.id, std::move(command.blob)));
    case Command::Kind::kUploadAgain:
      return send_all(client_.upload_again(command.id));
    case Command::Kind::kForget:
      return client_.forget(command.id);
    case Command::Kind::kStop:
      return;
  }
}

void BlobClientEndpoint::run() {
  for (;;) {
    while (auto command = commands_.pop()) {
      if (command->kind == Command::Kind::kStop) return;
      carry_out(std::move(*command));
    }
    auto incoming =
        transport_->receive(until(client_.next_tick(), clock_.now_ms()), commands_.fd());
    send_all(client_.on_tick(clock_.now_ms()));
    if (!incoming || !*incoming) continue;
    bytes_down_ += (*incoming)->message.size();
    auto response = client_.on_message((*incoming)->message, clock_.now_ms());
    send_all(response.messages);
    if (response.fetched)
      handlers_.fetched(response.fetched->id, std::move(response.fetched->blob));
    if (response.delivered) handlers_.delivered(*response.delivered);
    if (response.failed) handlers_.failed(*response.failed);
    if (!response.problem.empty()) handlers_.problem(response.problem);
  }
}

}  // namespace muster::wire
