CREATE TABLE "control_plane_tunnels" (
	"toolbox_id" text PRIMARY KEY NOT NULL,
	"replica_id" text NOT NULL,
	"since" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "control_plane_replicas" (
	"id" text PRIMARY KEY NOT NULL,
	"address" text NOT NULL,
	"seen_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "control_plane_tunnels" ADD CONSTRAINT "control_plane_tunnels_toolbox_id_account_tool_environments_id_fk" FOREIGN KEY ("toolbox_id") REFERENCES "public"."account_tool_environments"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "control_plane_tunnels" ADD CONSTRAINT "control_plane_tunnels_replica_id_control_plane_replicas_id_fk" FOREIGN KEY ("replica_id") REFERENCES "public"."control_plane_replicas"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "control_plane_tunnels_replica_id_index" ON "control_plane_tunnels" USING btree ("replica_id");