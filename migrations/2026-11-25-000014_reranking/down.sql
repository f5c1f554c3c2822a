ALTER TABLE silos DROP COLUMN reranking_service_id, DROP COLUMN next_model;
