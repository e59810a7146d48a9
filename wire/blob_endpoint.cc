#include "wire/blob_endpoint.h"

namespace muster::wire {
namespace {

constexpr int kIdleMs = 1000;

}  // namespace

BlobServerEndpoint::BlobServerEndpoint(std::unique_ptr<Transport> transport, BlobStore& store,
                                       const BlobServer::Limits& limits, OnUploaded on_uploaded)
    : transport_(std::move(transport)),
      server_(store, limits),
      on_uploaded_(std::move(on_uploaded)),
      thread_([this] { run(); }) {}

BlobServerEndpoint::~BlobServerEndpoint() {
  stopping_ = true;
  stop_.push(0);
  thread_.join();
}

void BlobServerEndpoint::run() {
  while (!stopping_) {
    auto incoming = transport_->receive(kIdleMs, stop_.fd());
    if (!incoming || !*incoming) continue;
    const auto response = server_.on_message((*incoming)->from, (*incoming)->message);
    // A peer that has gone or does not read asks again when it is back.
    for (const Outgoing& message : response.messages)
      (void)transport_->send(message.to, message.message);
    if (response.uploaded) on_uploaded_(response.uploaded->from, response.uploaded->id);
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
  commands_.push({Command::Kind::kStop, {}, {}});
  thread_.join();
}

void BlobClientEndpoint::send_all(const std::vector<Bytes>& messages) {
  for (const Bytes& message : messages) {
    if (Status sent = transport_->send(server_, message); !sent)
      return handlers_.problem(sent.error().message);
    bytes_up_ += message.size();
  }
}

void BlobClientEndpoint::run() {
  for (;;) {
    while (auto command = commands_.pop()) {
      switch (command->kind) {
        case Command::Kind::kStop: return;
        case Command::Kind::kFetch: send_all(client_.fetch(command->id)); break;
        case Command::Kind::kUpload:
          send_all(client_.upload(command->id, std::move(command->blob)));
          break;
        case Command::Kind::kUploadAgain: send_all(client_.upload_again(command->id)); break;
      }
    }
    auto incoming = transport_->receive(kIdleMs, commands_.fd());
    if (!incoming || !*incoming) continue;
    bytes_down_ += (*incoming)->message.size();
    auto response = client_.on_message((*incoming)->message);
    send_all(response.messages);
    if (response.fetched) handlers_.fetched(response.fetched->id, std::move(response.fetched->blob));
    if (response.delivered) handlers_.delivered(*response.delivered);
    if (!response.problem.empty()) handlers_.problem(response.problem);
  }
}

}  // namespace muster::wire
