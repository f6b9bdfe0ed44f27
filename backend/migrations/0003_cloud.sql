CREATE TABLE "droplet_sightings" (
	"account_id" text NOT NULL,
	"droplet_id" bigint NOT NULL,
	"reason" text NOT NULL,
	"first_seen_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "droplet_sightings_account_id_droplet_id_pk" PRIMARY KEY("account_id","droplet_id")
);
--> statement-breakpoint
CREATE TABLE "providers" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"provider" text NOT NULL,
	"token" text NOT NULL,
	"hint" text NOT NULL,
	"missing_scopes" jsonb NOT NULL,
	"validated_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "placement" jsonb;--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "retries" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "provisioning" jsonb;--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "boot" jsonb;--> statement-breakpoint
CREATE UNIQUE INDEX "provider_once" ON "providers" USING btree ("account_id","provider");