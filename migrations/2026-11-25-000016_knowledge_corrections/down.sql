DROP TRIGGER silos_note_points ON silos;
DROP TRIGGER chunks_note_points ON chunks;
DROP TRIGGER documents_note_blobs ON documents;
DROP FUNCTION omni_note_points_of_silos();
DROP FUNCTION omni_note_points();
DROP FUNCTION omni_note_blobs();
DROP TABLE forgotten_points;
DROP TABLE forgotten_blobs;
