DROP TABLE usage_daily;
DROP TABLE messages;
DROP TABLE turns;
DROP TABLE runners;
DROP TABLE conversations;
