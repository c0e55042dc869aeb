CREATE TABLE IF NOT EXISTS packs (
	pack_id {blob} NOT NULL PRIMARY KEY,
	size    INT8 NOT NULL,
	bodies  INT8 NOT NULL,
	created INT8 NOT NULL
)
