package rollcall;

import io.delta.storage.HadoopFileSystemLogStore;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options.CreateFileOptionKeys;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathIOException;

/**
 * Delta's log on S3 for several writers at once: a commit is put where there is none, which the store itself decides
 * (conditional writes: PutObject with If-None-Match).
 *
 * <p>Delta's own store for S3 decides within one process, and the one that asks DynamoDB is not published for this
 * version of Delta. This one takes Hadoop's connector from 3.4.2 on.
 */
public class S3LogStore extends HadoopFileSystemLogStore {
    private static final int TRIES = 3;
    private static final Set<URI> KEEPS_ITS_WORD = ConcurrentHashMap.newKeySet();

    public S3LogStore(Configuration hadoopConf) {
        super(hadoopConf);
    }

    /**
     * @throws FileAlreadyExistsException another writer's file is there, and overwrite is false
     */
    @Override
    public void write(Path path, Iterator<String> actions, Boolean overwrite, Configuration hadoopConf)
            throws IOException {
        FileSystem store = path.getFileSystem(hadoopConf);
        byte[] content = lines(actions);
        if (overwrite) {
            put(store.create(path, true), content);
            return;
        }
        putNew(store, path, content);
        if (!KEEPS_ITS_WORD.contains(store.getUri())) {
            test(store, path, content);
        }
    }

    @Override
    public Boolean isPartialWriteVisible(Path path, Configuration hadoopConf) {
        return false;
    }

    /** Whatever went wrong, what is there decides: a put may have been done whose answer was lost. */
    private static void putNew(FileSystem store, Path path, byte[] content) throws IOException {
        for (int tries = 1; ; tries++) {
            try {
                put(conditional(store, path), content);
                return;
            } catch (IOException failure) {
                byte[] found = contentOf(store, path);
                if (Arrays.equals(found, content)) { // every commit has an identifier of its own
                    return;
                }
                if (found != null) {
                    throw new FileAlreadyExistsException(path.toString());
                }
                if (tries == TRIES) {
                    throw failure;
                }
            }
        }
    }

    /** A store that ignores the condition would lose commits without a word: what is there is put once more. */
    private static void test(FileSystem store, Path path, byte[] content) {
        try {
            put(conditional(store, path), content);
        } catch (PathIOException refused) {
            KEEPS_ITS_WORD.add(store.getUri());
            return;
        } catch (IOException unanswered) { // the next commit asks again
            return;
        }
        throw new IllegalStateException(
                store.getUri() + " overwrites what it was told to keep (it ignores If-None-Match): tables there can"
                        + " have one writer at a time. If that is so, leave spark.delta.logStore.s3a.impl unset");
    }

    private static FSDataOutputStream conditional(FileSystem store, Path path) throws IOException {
        // Whether something is there is asked at the end of the write, not before it.
        FSDataOutputStreamBuilder<?, ?> file = store.createFile(path).recursive().overwrite(true);
        file.must(CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE, true);
        return file.build();
    }

    /** Closing is what puts the object: one that was not written whole must not be closed. */
    private static void put(FSDataOutputStream stream, byte[] content) throws IOException {
        try {
            stream.write(content);
        } catch (IOException | RuntimeException failure) {
            stream.abort();
            throw failure;
        }
        stream.close();
    }

    /** Null if there is nothing. */
    private static byte[] contentOf(FileSystem store, Path path) throws IOException {
        try (FSDataInputStream stream = store.open(path)) {
            return stream.readAllBytes();
        } catch (FileNotFoundException nothing) {
            return null;
        }
    }

    private static byte[] lines(Iterator<String> actions) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        while (actions.hasNext()) {
            bytes.writeBytes((actions.next() + "\n").getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }
}
