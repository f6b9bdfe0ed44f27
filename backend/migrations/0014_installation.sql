CREATE TABLE "ssh_keys" (
	"account_id" text PRIMARY KEY NOT NULL,
	"public_key" text NOT NULL,
	"private_key" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "install_variant" text DEFAULT 'docker' NOT NULL;--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "ssh_place" jsonb;--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "ssh_host_key" jsonb;