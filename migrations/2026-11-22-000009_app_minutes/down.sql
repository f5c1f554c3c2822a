DROP TABLE app_minutes;
