package redisnotify

// ChannelName is channelName for tests.
var ChannelName = channelName
