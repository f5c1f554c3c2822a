DROP TABLE agents;
DROP TABLE ai_services;
