DROP TABLE service_commands;
DROP TABLE services;
DROP TABLE service_slots;
DROP SEQUENCE service_generations;
