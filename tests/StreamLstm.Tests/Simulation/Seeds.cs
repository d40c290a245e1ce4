namespace StreamLstm.Tests.Simulation;

/// <summary>Tries seeds on threads of their own: a simulation holds its thread, and those of the pool are needed beside it.</summary>
internal static class Seeds
{
    /// <summary>The lowest seed found for which something is true; null where it is true for none.</summary>
    public static int? First(int from, int count, Func<int, bool> isFound)
    {
        int next = from - 1, found = int.MaxValue;
        Exception? failed = null;
        Thread[] threads = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(Try))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        return failed is null ? found == int.MaxValue ? null : found : throw new InvalidOperationException(failed.Message, failed);

        void Try()
        {
            try
            {
                // Those below one that was found are tried to their end.
                for (int seed; (seed = Interlocked.Increment(ref next)) < from + count && seed < Volatile.Read(ref found) && failed is null;)
                {
                    if (isFound(seed))
                    {
                        for (int known = found; seed < known; known = found)
                        {
                            Interlocked.CompareExchange(ref found, seed, known);
                        }
                    }
                }
            }
#pragma warning disable CA1031 // thrown where the threads are waited for
            catch (Exception wrong)
#pragma warning restore CA1031
            {
                failed = wrong;
            }
        }
    }
}
