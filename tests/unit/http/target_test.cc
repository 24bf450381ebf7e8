#include "http/message/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall::http {
namespace {

std::string routed(std::string_view path) {
  std::string storage;
  const auto result = routing_path(path, storage);
  return result ? std::string(*result) : "refused: " + result.error().message;
}

TEST(Target, Rfc9112_3_2_1_OriginForm) {
  Target target;
  ASSERT_EQ(parse_target("GET", "/a/b?c=/d?e", target).status, ParseStatus::kComplete);
  EXPECT_EQ(target.form, TargetForm::kOrigin);
  EXPECT_EQ(target.path, "/a/b");
  EXPECT_EQ(target.path_and_query, "/a/b?c=/d?e");
}

TEST(Target, Rfc9112_3_2_2_AbsoluteForm) {
  Target target;
  ASSERT_EQ(parse_target("GET", "HTTP://Example.com:80/a?b", target).status,
            ParseStatus::kComplete);
  EXPECT_EQ(target.authority, "Example.com:80");
  EXPECT_EQ(target.path_and_query, "/a?b");
  ASSERT_EQ(parse_target("GET", "https://a", target).status, ParseStatus::kComplete);
  EXPECT_EQ(target.path_and_query, "/");
  for (const std::string_view text : {"http:///a", "http://u@a/", "ftp://a/", "http:/a", "a",
                                      "a:80", "://a/", "http://a?b", "http://a|b/", "http://"}) {
    EXPECT_EQ(parse_target("GET", text, target).status, ParseStatus::kInvalid) << text;
  }
}

TEST(Target, Rfc9112_3_2_4_AsteriskForm) {
  Target target;
  ASSERT_EQ(parse_target("OPTIONS", "*", target).status, ParseStatus::kComplete);
  EXPECT_EQ(target.form, TargetForm::kAsterisk);
  EXPECT_EQ(parse_target("GET", "*", target).status, ParseStatus::kInvalid);
}

TEST(RoutingPath, EverySpellingGivesTheSamePath) {
  for (const std::string_view path :
       {"/api/x", "/%61pi/x", "/api%2fx", "/api%2Fx", "//api/x", "/api//x", "/%2Fapi//%2f/x"}) {
    EXPECT_EQ(routed(path), "/api/x") << path;
  }
  EXPECT_EQ(routed("/a%20b"), "/a b");
  EXPECT_EQ(routed("/%2561"), "/%61");  // decoded once, not twice
  EXPECT_EQ(routed("/a..b/...;x/.c"), "/a..b/...;x/.c");
}

TEST(RoutingPath, WhatApplicationsDifferOnIsRefused) {
  for (const std::string_view path : {"/public/../api",
                                      "/public/..",
                                      "/..",
                                      "/.",
                                      "/./api",
                                      "/public/%2e%2e/api",
                                      "/public/.%2E/api",
                                      "/public%2f..%2fapi",
                                      "/public/..;/api",
                                      "/public/..;x=y/api",
                                      "/public/%2e%2e%3b/api",
                                      "/public\\..\\api",
                                      "/public%5c..%5capi",
                                      "/a%00",
                                      "/a%0d%0aX:y",
                                      "/a%7f",
                                      "/a%",
                                      "/a%4",
                                      "/a%zz",
                                      "/%"}) {
    EXPECT_THAT(routed(path), testing::StartsWith("refused")) << path;
  }
}

}  // namespace
}  // namespace partywall::http
