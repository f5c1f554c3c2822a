-- What puts the passages that were found in a silo in order, and what a silo is being embedded anew with.
ALTER TABLE silos
    -- Without one, the ranks among vectors and words are fused.
    ADD COLUMN reranking_service_id bigint,
    -- The model of the vectors that are not searched yet: an attempt with another one begins from the start.
    ADD COLUMN next_model text,
    ADD CONSTRAINT silos_reranking_service_fkey
        FOREIGN KEY (app_id, reranking_service_id) REFERENCES ai_services (app_id, service_id);
CREATE INDEX silos_reranking_service_id_idx ON silos (reranking_service_id) WHERE reranking_service_id IS NOT NULL;
