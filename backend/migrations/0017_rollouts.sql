CREATE TABLE "rollouts" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"versions" jsonb NOT NULL,
	"actor" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	"reason" text,
	"forgiven" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "rollout_state" CHECK ("rollouts"."state" in ('running','halted','done','given_up')),
	CONSTRAINT "rollout_end" CHECK (("rollouts"."ended_at" is null) = ("rollouts"."state" in ('running','halted')))
);
--> statement-breakpoint
CREATE UNIQUE INDEX "rollout_at_work" ON "rollouts" USING btree ("account_id") WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX "rollout_time" ON "rollouts" USING btree ("account_id","created_at");