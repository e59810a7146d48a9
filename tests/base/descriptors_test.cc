#include "base/descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "base/mailbox.h"

namespace muster {
namespace {

// Leaves this process with `limit` file descriptors until the end of the test.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t limit) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit few{limit, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(Descriptors, TheSoftLimitIsRaisedToTheHardOne) {
  const FewDescriptors few(64);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(raise_descriptor_limit(), limit.rlim_max);
  EXPECT_EQ(descriptor_limit(), limit.rlim_max);
}

TEST(Descriptors, TooFewAreToldWithTheRemedy) {
  EXPECT_TRUE(need_descriptors(20));
  const FewDescriptors few(24);
  const Status enough = need_descriptors(24);
  ASSERT_FALSE(enough);
  EXPECT_NE(enough.error().message.find("24 are needed"), std::string::npos)
      << enough.error().message;
  EXPECT_NE(enough.error().message.find("ulimit -n"), std::string::npos);
}

TEST(Descriptors, AMailboxWorksWithoutOne) {
  const FewDescriptors none(0);
  Mailbox<int> box;
  EXPECT_EQ(box.fd(), -1);
  box.push(1);
  box.push(2);
  EXPECT_EQ(box.pop(), 1);
  EXPECT_EQ(box.pop(), 2);
  EXPECT_FALSE(box.pop().has_value());
}

}  // namespace
}  // namespace muster
