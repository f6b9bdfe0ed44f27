CREATE TABLE "installation" (
	"id" text PRIMARY KEY NOT NULL,
	"place" text NOT NULL,
	"recovering_since" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "droplet_sightings" ADD COLUMN "held" boolean DEFAULT false NOT NULL;