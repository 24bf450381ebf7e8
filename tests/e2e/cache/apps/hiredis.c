/* hiredis: log in, a pipeline of 1,000, a binary value, an error that leaves the connection usable. */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static redisReply* next(redisContext* context) {
  void* reply = NULL;
  if (redisGetReply(context, &reply) != REDIS_OK) {
    fprintf(stderr, "%s\n", context->errstr);
    exit(1);
  }
  return reply;
}

static void expect(redisReply* reply, int type, const char* text) {
  if (reply == NULL || reply->type != type || (text != NULL && strcmp(reply->str, text) != 0)) {
    fprintf(stderr, "expected '%s', got '%s'\n", text ? text : "", reply && reply->str ? reply->str : "nothing");
    exit(1);
  }
  freeReplyObject(reply);
}

int main(int argc, char** argv) {
  redisContext* context = argc == 4 ? redisConnect("127.0.0.1", atoi(argv[1])) : NULL;
  if (context == NULL || context->err) return 1;
  expect(redisCommand(context, "AUTH %s %s", argv[2], argv[3]), REDIS_REPLY_STATUS, "OK");
  for (int i = 0; i < 1000; ++i) {
    redisAppendCommand(context, "SET h:%d %d", i, i);
    redisAppendCommand(context, "GET h:%d", i);
  }
  for (int i = 0; i < 1000; ++i) {
    char text[16];
    snprintf(text, sizeof text, "%d", i);
    expect(next(context), REDIS_REPLY_STATUS, "OK");
    expect(next(context), REDIS_REPLY_STRING, text);
  }
  expect(redisCommand(context, "SET bin %b", "\r\n\0x", (size_t)4), REDIS_REPLY_STATUS, "OK");
  expect(redisCommand(context, "STRLEN bin"), REDIS_REPLY_INTEGER, NULL);
  expect(redisCommand(context, "SWAPDB 0 1"), REDIS_REPLY_ERROR, NULL);
  expect(redisCommand(context, "GET h:7"), REDIS_REPLY_STRING, "7");
  redisFree(context);
  puts("ok");
  return 0;
}
