DROP TABLE collaborations;
DROP TABLE apps;
