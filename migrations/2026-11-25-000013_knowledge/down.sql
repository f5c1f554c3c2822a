DROP TABLE retrievals;
ALTER TABLE apps DROP COLUMN max_file_size_mb;
ALTER TABLE agents DROP COLUMN silo_id;
DROP TABLE jobs, domain_urls, domains, chunk_vectors, chunk_words, chunks, documents, folders, repositories, silos,
    embedding_services;
